/**
 * `pnpm bench codecs [--seeds 5] [--model mlp]`: for each encoding bytes and nanoseconds per element (SIMD and plain, on one core, a million elements that are
 * normally distributed, the fastest of 25 rounds: others' work only ever slows one down), and with --seeds the accuracy on held-out digits that trainings reach, in the mean over so many seeds. The last line is JSON.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodedBytes } from '@tributary/core/codec/blocks.ts';
import { codecs, createCodec } from '@tributary/core/codec/table.ts';
import { plainKernels } from '@tributary/core/kernels/plainKernels.ts';
import { createSimdKernels } from '@tributary/core/kernels/simdKernels.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';

const { values: flags } = parseArgs({
  options: { seeds: { type: 'string', default: '0' }, model: { type: 'string', default: 'mlp' } },
});
const elements = 1 << 20;
const rounds = 25;
const main = join(import.meta.dirname, '../packages/cli/src/main.ts');

const uniform = createUniforms(1);
const normal = Float32Array.from(
  { length: elements },
  () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
);

const speeds = Object.keys(codecs).map((name) => {
  const codec = createCodec({ name });
  const bytes = new Uint8Array(encodedBytes(codec, elements));
  const [simd, plain] = [createSimdKernels(), plainKernels].map((kernels) => {
    const values = kernels.allocate(elements);
    const ns: { encode: number[]; decode: number[] } = { encode: [], decode: [] };
    for (let round = 0; round < rounds; round++) {
      values.set(normal);
      ns.encode.push(time(() => kernels.encode(codec, values, bytes)));
      ns.decode.push(time(() => kernels.decode(codec, bytes, values)));
    }
    return { encode: Math.min(...ns.encode), decode: Math.min(...ns.decode) };
  });
  return { name, bytesPerElement: bytes.length / elements, simd, plain };
});

console.log('encoding   bytes/element   encode ns   decode ns   plain encode   plain decode');
for (const { name, bytesPerElement, simd, plain } of speeds) {
  const [encode, decode, slowEncode, slowDecode] = [simd.encode, simd.decode, plain.encode, plain.decode].map(
    (ns) => ns.toFixed(2),
  );
  console.log(
    `${name.padEnd(11)}${bytesPerElement.toFixed(3).padStart(13)}${encode.padStart(12)}${decode.padStart(12)}${slowEncode.padStart(15)}${slowDecode.padStart(15)}`,
  );
}

/** Trainings that are compared, as flags. */
const trainings = [
  ...Object.keys(codecs).map((name) => ['--optimizer', 'adam', '--encoding', name]),
  ...['bf16', 'delta'].map((name) => ['--optimizer', 'adam', '--pull-encoding', name]),
  ...['f32', 'topk', 'sign'].map((name) => ['--optimizer', 'momentum', '--encoding', name]),
  ['--optimizer', 'sgd', '--corrected'],
];

const seeds = Number(flags.seeds);
const accuracies = seeds === 0 ? [] : trainings.map(accuracyOf);
console.log(
  JSON.stringify({ bench: 'codecs', elements, rounds, speeds, seeds, model: flags.model, accuracies }),
);

/** One worker and one server: the result is the same for any number. */
function accuracyOf(training: string[]) {
  const runs = mkdtempSync(join(tmpdir(), 'tributary-codecs-'));
  const common = ['--model', flags.model, '--workers', '1', '--servers', '1', '--runs', runs, '--json'];
  try {
    const found = Array.from({ length: seeds }, (_, seed) => {
      const args = ['train', join(import.meta.dirname, 'codecs/job.ts'), '--seed', String(seed + 1)];
      const output = execFileSync(process.execPath, [main, ...args, ...common, ...training], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return JSON.parse(output.toString()) as { accuracy: number; pushedBytes: number; pulledBytes: number };
    });
    const all = found.map(({ accuracy }) => 100 * accuracy);
    const mean = all.reduce((sum, value) => sum + value) / seeds;
    const deviation = Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (seeds - 1 || 1));
    const { pushedBytes, pulledBytes } = found[0];
    const megabytes = [pushedBytes, pulledBytes].map((bytes) => (bytes / 1e6).toFixed(1).padStart(8));
    console.log(
      `${training.join(' ').padEnd(42)}${mean.toFixed(2)} % ± ${deviation.toFixed(2)}${megabytes.join('')} MB pushed, pulled`,
    );
    return { training: training.join(' '), mean, deviation, pushedBytes, pulledBytes };
  } finally {
    rmSync(runs, { recursive: true });
  }
}

/** Nanoseconds per element. */
function time(work: () => unknown): number {
  const start = performance.now();
  work();
  return ((performance.now() - start) * 1e6) / elements;
}
