/**
 * `pnpm bench compute [--peer] [--case NAME]... [--seconds N]`: one step (loss and all gradients, or the second-order task) of each case on the
 * native and the reference backend, and with --peer in PyTorch on one thread. All take turns within a case; medians in milliseconds.
 * The last line is JSON.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { initialParameters } from '@tributary/worker/autodiff/initialParameters.ts';
import { lossAndGradientFunction } from '@tributary/worker/autodiff/modelFunctions.ts';
import type { ArrayFunction, ComputeBackend } from '@tributary/worker/compute/ComputeBackend.ts';
import { createBuffer } from '@tributary/worker/compute/checkBuffers.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import { launchEnvironment } from '../packages/cli/src/launcher/launchSettings.ts';
import { type BenchCase, benchCases, secondOrderFunction } from './compute/models.ts';
import { findTorch } from './findTorch.ts';
import { openPeer } from './openPeer.ts';

const { values: options } = parseArgs({
  options: {
    peer: { type: 'boolean', default: false },
    case: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '4' },
  },
});

// Measured as workers run: these settings are read when a process starts, so it starts itself again with them.
if (Object.keys(launchEnvironment).some((name) => process.env[name] === undefined)) {
  const env = { ...process.env, ...launchEnvironment };
  const { status } = spawnSync(process.execPath, [import.meta.filename, ...process.argv.slice(2)], {
    env,
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}

type Step = () => Promise<number>;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** One step on a backend, in milliseconds. */
async function openStep(backend: ComputeBackend, benchCase: BenchCase): Promise<Step> {
  const { model, fields, sparse = [], task } = benchCase;
  const { layout, structure, flat } = await initialParameters(model, 1);
  const names = Object.keys(fields).sort();
  const parameters = layout.tensors.map(({ shape, offset, length }) => ({
    shape,
    dtype: 'float32' as const,
    data: flat.subarray(offset, offset + length),
  }));
  const inputs = [
    ...parameters,
    ...names.map((name) => fields[name]),
    ...(task === 'hessianVector' ? parameters : []),
  ];
  const fn: ArrayFunction =
    task === undefined
      ? lossAndGradientFunction(model, structure, names)
      : (secondOrderFunction(benchCase) as ArrayFunction);
  const sparseOutputs = layout.tensors.flatMap(({ name }, index) =>
    sparse.includes(name) ? [index + 1] : [],
  );
  const program = await backend.compile(fn, inputs, { sparseOutputs });
  const outputs = program.outputs.map(createBuffer);
  const buffers = inputs.map(({ data }) => data);
  return () => timed(() => program.run(buffers, outputs));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Rounds in which everyone steps for about the same time, the slow at least once. */
async function measure(steps: Record<string, Step>, seconds: number): Promise<Record<string, number>> {
  const times: Record<string, number[]> = {};
  for (const [name, step] of Object.entries(steps)) {
    await step();
    await step();
    times[name] = [];
  }
  const deadline = performance.now() + 1000 * seconds;
  const turnMs = 60;
  do {
    for (const [name, step] of Object.entries(steps)) {
      const end = performance.now() + turnMs;
      do times[name].push(await step());
      while (performance.now() < end);
    }
  } while (performance.now() < deadline);
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
}

const native = await openBackend('native');
const reference = await openBackend('reference');
const python = options.peer ? findTorch() : undefined;
if (options.peer && python === undefined) console.log('No Python with torch was found; --peer is left out.');
const peer = python && (await openPeer(python, [join(import.meta.dirname, 'compute/peer.py')]));
if (peer) console.log(`PyTorch ${peer.version}, 1 thread`);

const columns = ['case', 'native', 'reference', 'speedup', ...(peer ? ['pytorch', 'pytorch/native'] : [])];
const printRow = (cells: readonly string[]) =>
  console.log(cells.map((cell, k) => (k === 0 ? cell.padEnd(15) : cell.padStart(15))).join(''));
printRow(columns);
const results: Record<string, Record<string, number>> = {};
for (const benchCase of benchCases.filter(({ name }) => options.case?.includes(name) ?? true)) {
  const { name } = benchCase;
  const steps: Record<string, Step> = {
    native: await openStep(native, benchCase),
    reference: await openStep(reference, benchCase),
    ...(peer && { pytorch: () => peer.time(name) }),
  };
  const result = await measure(steps, Number(options.seconds));
  results[name] = result;
  const ms = (value: number) => value.toFixed(value < 10 ? 3 : 1);
  const ratio = (a: number, b: number) => `${(a / b).toFixed(2)}x`;
  printRow([
    name,
    ms(result.native),
    ms(result.reference),
    ratio(result.reference, result.native),
    ...(peer ? [ms(result.pytorch), ratio(result.pytorch, result.native)] : []),
  ]);
}
if (peer) peer.close();
console.log(JSON.stringify({ bench: 'compute', unit: 'ms per step, median', results }));
