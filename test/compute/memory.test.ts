import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ProgramCache } from '@tributary/worker/compute/ProgramCache.ts';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../cluster/tributary.ts';

const run = promisify(execFile);

/** The median growth between two samples, per step. What is lost each step grows every sample; an allocator that takes a megabyte once does not. */
function growth(samples: readonly number[], stepsBetween: number): number {
  const grown = samples.slice(1).map((sample, index) => sample - samples[index]);
  grown.sort((a, b) => a - b);
  return grown[Math.floor(grown.length / 2)] / stepsBetween;
}

/** A gradient that was lost each step would be 14 KB. Below lies what allocators do on their own, jax-js's more than onnxruntime's. */
test.each([
  ['native', 40_000, 400],
  ['reference', 3000, 4000],
])(
  'resident memory does not grow over the steps on %s',
  { timeout: 180_000 },
  async (backend, steps, bytesPerStepMax) => {
    const script = join(import.meta.dirname, 'memoryRun.ts');
    const { stdout } = await run(process.execPath, ['--expose-gc', script, backend, String(steps)]);
    const resident = JSON.parse(stdout) as number[];
    // The first half warms up the allocators and the compiler.
    const settled = resident.slice(resident.length / 2);
    expect(growth(settled, steps / resident.length)).toBeLessThan(bytesPerStepMax);
  },
);

test('nothing is told to the makers of ONNX Runtime, nor kept for them', async () => {
  const folder = temporaryFolder();
  const script = join(import.meta.dirname, 'memoryRun.ts');
  // Where this is set the library keeps quiet by itself; elsewhere it writes a log and a number of the machine.
  const { CI: _ci, ORT_DISABLE_TELEMETRY: _set, ...environment } = process.env;
  const env = { ...environment, HOME: folder, TMPDIR: folder };
  await run(process.execPath, [script, 'native', '20'], { env });
  expect(readdirSync(folder)).toEqual([]);
});

test('programs are kept for a bounded number of shapes, the latest used', async () => {
  const disposed: string[] = [];
  const compiled: string[] = [];
  const cache = new ProgramCache(2);
  const get = (key: string) =>
    cache.get(key, async () => {
      compiled.push(key);
      return {
        backend: 'native',
        indexes: false,
        inputs: [],
        outputs: [],
        run: async () => {},
        dispose: () => disposed.push(key),
      };
    });
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await get(key);
  await Promise.resolve();
  expect(compiled).toEqual(['a', 'b', 'c', 'b']);
  expect(disposed).toEqual(['b', 'c']);
  expect(cache.size).toBe(2);
});

test('a program that fails to compile is tried again', async () => {
  const cache = new ProgramCache(2);
  await expect(cache.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await Promise.resolve();
  const program = {
    backend: 'native' as const,
    indexes: false,
    inputs: [],
    outputs: [],
    run: async () => {},
    dispose: () => {},
  };
  expect(await cache.get('a', async () => program)).toBe(program);
});
