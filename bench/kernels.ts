/**
 * `pnpm bench kernels [elements] [--peer]`: the SIMD kernels beside the plain loops and a triad (a <- b + s c), which shows what memory gives; with --peer beside C
 * (cc -O3 -march=native) and PyTorch on one thread, where these are found. Medians over rounds in which all take turns. GB/s counts every vector that is read or
 * written once. The last line is JSON.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kernelModule } from '@tributary/core/kernels/kernelModule.ts';
import { plainKernels } from '@tributary/core/kernels/plainKernels.ts';
import { createSimdKernels } from '@tributary/core/kernels/simdKernels.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { VectorMemory } from '@tributary/core/kernels/VectorMemory.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { optimizers } from '@tributary/core/optimizer/table.ts';
import { webAssembly } from '@tributary/core/webassembly/webAssembly.ts';
import { findTorch } from './findTorch.ts';
import { openPeer, type Peer } from './openPeer.ts';

const { values: options, positionals } = parseArgs({
  options: { peer: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const elements = Number(positionals[0] ?? 10_000_000);
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
  readonly cMs: number[];
  readonly torchMs: number[];
}

const row = (name: string, vectors: number, simd: () => unknown, plain?: () => unknown): Row => ({
  name,
  bytesPerElement: vectors * 4,
  simd,
  ...(plain && { plain }),
  plainMs: [],
  simdMs: [],
  cMs: [],
  torchMs: [],
});

/** The methods that have kernels; those on whole tensors are left out. */
const elementWise = Object.keys(optimizers)
  .map((name) => createOptimizer({ name, hyperparameters: {} }))
  .filter(({ rule }) => rule.wholeTensors === undefined);
const slotsMax = Math.max(...elementWise.map(({ slots }) => slots.length));

function vectorsOf(kernels: VectorKernels): Float32Array[] {
  return Array.from({ length: 2 + slotsMax }, (_, seed) => {
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
for (const optimizer of elementWise) {
  const learningRate = Number(optimizer.hyperparameters.learningRate);
  const slots = optimizer.slots.length;
  rows.push(
    both(optimizer.name, 3 + 2 * slots, (kernels, [parameters, gradient, ...states]) =>
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

const peers = options.peer ? { c: await openC(), torch: await openTorch() } : {};
/** What the peers have too. */
const shared = ['sgd', 'momentum', 'adam', 'add', 'scale'];

for (let round = 0; round <= rounds; round++) {
  for (const { name, plain, simd, plainMs, simdMs, cMs, torchMs } of rows) {
    // Slots that shrink towards 0 would end in subnormal numbers, which are slow.
    for (const [seed, vector] of [...vectors.plain, ...vectors.simd].entries())
      vector.fill(1e-3 * (1 + seed));
    if (plain) plainMs.push(time(plain));
    simdMs.push(time(simd));
    if (!shared.includes(name)) continue;
    if (peers.c) cMs.push(await peers.c.time(name));
    if (peers.torch) torchMs.push(await peers.torch.time(name));
  }
}
peers.c?.close();
peers.torch?.close();

const report = rows.map(({ name, bytesPerElement, plainMs, simdMs, cMs, torchMs }) => {
  const [plain, simd, c, torch] = [plainMs, simdMs, cMs, torchMs].map(nsPerElement);
  const simdGBps = simd && bytesPerElement / simd;
  return { name, bytesPerElement, plainNs: plain, simdNs: simd, cNs: c, torchNs: torch, simdGBps };
});
console.log(`${elements} float32, one thread, median of ${rounds}; ns per element`);
for (const peer of [peers.c, peers.torch]) if (peer) console.log(peer.version);
const printRow = (name: string, cells: readonly string[]) =>
  console.log(name.padEnd(14) + cells.map((cell) => cell.padStart(16)).join(''));
printRow('', ['plain', 'simd', 'simd GB/s', 'plain / simd', 'C', 'C / simd', 'PyTorch', 'PyTorch / simd']);
for (const { name, plainNs, simdNs, simdGBps, cNs, torchNs } of report) {
  const shown = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? '-';
  const ratio = (value: number | undefined) => shown(value && simdNs && value / simdNs, 2);
  printRow(name, [
    ...[shown(plainNs, 3), shown(simdNs, 3), shown(simdGBps, 1), ratio(plainNs)],
    ...[shown(cNs, 3), ratio(cNs), shown(torchNs, 3), ratio(torchNs)],
  ]);
}
console.log(JSON.stringify({ bench: 'kernels', elements, rounds, rows: report }));

async function openC(): Promise<Peer | undefined> {
  const binary = join(mkdtempSync(join(tmpdir(), 'tributary-bench-')), 'peer');
  try {
    const source = join(import.meta.dirname, 'kernels/peer.c');
    execFileSync('cc', ['-O3', '-march=native', '-ffast-math', source, '-o', binary, '-lm']);
  } catch {
    console.log('There is no C compiler; C is left out.');
    return undefined;
  }
  return openPeer(binary, [String(elements), String(repeats)]);
}

async function openTorch(): Promise<Peer | undefined> {
  const python = findTorch();
  if (python === undefined) {
    console.log('No Python with torch was found; PyTorch is left out.');
    return undefined;
  }
  const args = [join(import.meta.dirname, 'kernels/peer.py'), String(elements), String(repeats)];
  // Its allocator at its best: fresh vectors come in huge pages.
  return openPeer(python, args, { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' });
}

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
