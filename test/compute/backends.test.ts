import { numpy as np } from '@jax-js/jax';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import { describe, expect, test } from 'vitest';
import { computeLaws } from '../laws/compute.laws.ts';

describe.each(['native', 'reference', 'auto'] as const)('%s', (name) => {
  computeLaws(() => openBackend(name));
});

/** Float64 has no inverse sine in onnxruntime. */
const doubleArcsin = (x: np.Array) => [np.arcsin(x.astype(np.float64)).astype(np.float32)];
const input = { shape: [2], dtype: 'float32' as const };

test('what native cannot run it refuses, by name', async () => {
  const native = await openBackend('native');
  await expect(native.compile(doubleArcsin, [input])).rejects.toThrow(/onnxruntime cannot run .*Asin/);
});

test('auto runs that on the reference backend, and says why, once', async () => {
  const lines: string[] = [];
  const auto = await openBackend('auto', { onFallback: (line) => lines.push(line) });
  const programs = [await auto.compile(doubleArcsin, [input]), await auto.compile(doubleArcsin, [input])];
  const output = new Float32Array(2);
  for (const program of programs) await program.run([Float32Array.of(0.5, -1)], [output]);
  expect(output[0]).toBeCloseTo(Math.asin(0.5), 4);
  expect(programs.map(({ backend }) => backend)).toEqual(['reference', 'reference']);
  expect(lines).toEqual([expect.stringMatching(/Asin.*; using the reference backend, which is slower/)]);
  expect((await auto.compile((x) => [x.neg()], [input])).backend).toBe('native');
});

test('threads of one operation can be chosen', async () => {
  const native = await openBackend('native', { threads: 2 });
  const program = await native.compile(
    (x) => [np.matmul(x.ref, x)],
    [{ shape: [200, 200], dtype: 'float32' }],
  );
  const output = new Float32Array(40_000);
  await program.run([new Float32Array(40_000).fill(1)], [output]);
  expect(output.every((value) => value === 200)).toBe(true);
});
