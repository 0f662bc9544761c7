/**
 * `pnpm bench kernels [elements]`: the SIMD kernels beside the plain loops and a triad (a <- b + s c), which shows what memory gives.
 * Medians over rounds in which all take turns. GB/s counts every vector that is read or written once. The last line is JSON.
 */
import { kernelModule } from '@tributary/core/kernels/kernelModule.ts';
import { plainKernels } from '@tributary/core/kernels/plainKernels.ts';
import { createSimdKernels } from '@tributary/core/kernels/simdKernels.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { VectorMemory } from '@tributary/core/kernels/VectorMemory.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { optimizers } from '@tributary/core/optimizer/table.ts';
import { webAssembly } from '@tributary/core/webassembly/webAssembly.ts';

const elements = Number(process.argv[2] ?? 10_000_000);
const rounds = 7;
/** So that a round of a short vector takes milliseconds too. */
const repeats = Math.max(1, Math.floor(10_000_000 / elements));

interface Row {
  readonly name: string;
  readonly bytesPerElement: number;
  readonly plain?: () => unknown;
  readonly simd: () => unknown;
  readonly plainMs: number[];
  readonly simdMs: number[];
}

const row = (name: string, vectors: number, simd: () => unknown, plain?: () => unknown): Row => ({
  name,
  bytesPerElement: vectors * 4,
  simd,
  ...(plain && { plain }),
  plainMs: [],
  simdMs: [],
});

function vectorsOf(kernels: VectorKernels): Float32Array[] {
  return Array.from({ length: 6 }, (_, seed) => {
    const vector = kernels.allocate(elements);
    for (let index = 0; index < elements; index++) vector[index] = 1e-3 * (1 + ((index + seed) % 97));
    return vector;
  });
}

const simd = createSimdKernels();
const vectors = { plain: vectorsOf(plainKernels), simd: vectorsOf(simd) };
const kernels = { plain: plainKernels, simd };

/** The same work for both. */
function both(
  name: string,
  traffic: number,
  work: (kernels: VectorKernels, vectors: Float32Array[]) => unknown,
): Row {
  return row(
    name,
    traffic,
    () => work(kernels.simd, vectors.simd),
    () => work(kernels.plain, vectors.plain),
  );
}

const rows: Row[] = [triad()];
for (const name of Object.keys(optimizers)) {
  const optimizer = createOptimizer({ name, hyperparameters: {} });
  const learningRate = Number(optimizer.hyperparameters.learningRate);
  const slots = optimizer.slots.length;
  rows.push(
    both(name, 3 + 2 * slots, (kernels, [parameters, gradient, ...states]) =>
      kernels.update(optimizer, parameters, parameters, gradient, states.slice(0, slots), {
        count: 1,
        learningRate,
      }),
    ),
  );
}
rows.push(
  both('add', 3, (kernels, [target, source]) => kernels.add(target, source)),
  both('scale', 2, (kernels, [out, source]) => kernels.scale(out, source, 0.5)),
  both('clip', 2, (kernels, [values]) => kernels.clip(values, 0.05)),
  both('allFinite', 1, (kernels, [values]) => kernels.allFinite(values)),
  both('blockSquares', 1, (kernels, [values]) => kernels.blockSquares(values)),
);

for (let round = 0; round <= rounds; round++) {
  for (const { plain, simd, plainMs, simdMs } of rows) {
    // Slots that shrink towards 0 would end in subnormal numbers, which are slow.
    for (const [seed, vector] of [...vectors.plain, ...vectors.simd].entries())
      vector.fill(1e-3 * (1 + seed));
    if (plain) plainMs.push(time(plain));
    simdMs.push(time(simd));
  }
}

const report = rows.map(({ name, bytesPerElement, plainMs, simdMs }) => {
  const [plain, simd] = [plainMs, simdMs].map(nsPerElement);
  return { name, bytesPerElement, plainNs: plain, simdNs: simd, simdGBps: simd && bytesPerElement / simd };
});
console.log(`${elements} float32, one thread, median of ${rounds}`);
console.log('                 plain ns/element   simd ns/element   simd GB/s   plain / simd');
for (const { name, plainNs, simdNs, simdGBps } of report) {
  const columns = [plainNs, simdNs, simdGBps, plainNs && simdNs && plainNs / simdNs];
  const [plain, simd, rate, ratio] = columns.map((value, index) => value?.toFixed(index < 2 ? 3 : 1) ?? '-');
  console.log(
    `${name.padEnd(17)}${plain.padStart(16)}${simd.padStart(18)}${rate.padStart(12)}${ratio.padStart(15)}`,
  );
}
console.log(JSON.stringify({ bench: 'kernels', elements, rounds, rows: report }));

function time(work: () => unknown): number {
  const start = performance.now();
  for (let repeat = 0; repeat < repeats; repeat++) work();
  return performance.now() - start;
}

/** The first round warms up. */
function nsPerElement(ms: readonly number[]): number | undefined {
  const sorted = ms.slice(1).sort((a, b) => a - b);
  return sorted.length === 0 ? undefined : (sorted[sorted.length >> 1] * 1e6) / (elements * repeats);
}

/** Over a memory of its own: it is no part of the kernels' contract. */
function triad(): Row {
  const memory = new VectorMemory();
  const module = new webAssembly.Module(Buffer.from(kernelModule, 'base64'));
  const { exports } = new webAssembly.Instance(module, { env: { memory: memory.memory } });
  const { triad } = exports as {
    triad: (count: number, a: number, b: number, c: number, factor: number) => void;
  };
  const [a, b, c] = [0, 1, 2].map(() => memory.allocate(elements).fill(1).byteOffset);
  return row('triad', 3, () => triad(elements - (elements % 4), a, b, c, 0.5));
}
