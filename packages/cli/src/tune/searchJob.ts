import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import { checkOptimizer, isStepMethod } from '@tributary/worker/methods/table.ts';
import type { OverrideFlags } from '../commands/flags.ts';
import { methodJob } from '../compare/methodJob.ts';
import type { LocalCluster } from '../launcher/LocalCluster.ts';
import { type PreparedJob, prepareJob } from '../parameters/prepareJob.ts';
import { RunFolder } from '../runs/RunFolder.ts';
import { runTraining } from '../runs/runTraining.ts';
import { trialRun } from '../runs/trialRun.ts';
import { type Rung, survivors } from './halve.ts';
import { hyperparameterNames } from './hyperparameterNames.ts';
import type { Point } from './searchSpace.ts';

/** A point of the search and how far it has come. */
export interface Contender {
  /** From 1. */
  readonly number: number;
  readonly point: Point;
  /** How many rungs it was trained on. */
  rungs: number;
  /** At the end of its last rung; NaN before, and if it failed. */
  loss: number;
  accuracy: number | null;
  passes: number;
  trainMs: number;
  readonly curve: { passes: number; loss: number }[];
  /** Why it cannot be used; '' if it can. */
  failure: string;
}

export interface SearchOptions {
  readonly path: string;
  readonly overrides: OverrideFlags;
  /** The job with nothing changed. */
  readonly base: PreparedJob;
  readonly points: readonly Point[];
  readonly rungs: readonly Rung[];
  /** Each trains one contender at a time. */
  readonly clusters: readonly LocalCluster[];
  readonly folder: RunFolder;
  readonly stop: AbortSignal;
  readonly line: (text: string) => void;
  /** After each training of a rung. */
  readonly onTrained: (contender: Contender, rung: number) => void;
}

/**
 * Successive halving: trains all points for the passes of the first rung, and the better ones on, from where they were, to the next. Returns all, those that came furthest first,
 * and of these the least loss. `stop` ends it early. Throws INVALID_ARGUMENT for values that a method cannot take.
 */
export async function searchJob(options: SearchOptions): Promise<Contender[]> {
  const { points, rungs, base, stop } = options;
  for (const point of points) checkOptimizer(partsOf(point, base).optimizer);
  const all = points.map(
    (point, index): Contender => ({
      ...{ number: index + 1, point, rungs: 0, loss: Number.NaN, accuracy: null },
      ...{ passes: 0, trainMs: 0, curve: [], failure: '' },
    }),
  );
  let contending = all;
  for (const [index, { contenders }] of rungs.entries()) {
    contending = index === 0 ? all : survivors(contending, ({ loss }) => loss, contenders);
    await onEach(options.clusters, contending, async (cluster, contender) => {
      if (!stop.aborted) await train(contender, index, cluster, options);
    });
    if (stop.aborted) break;
  }
  return [...all].sort((a, b) => b.rungs - a.rungs || worth(a) - worth(b));
}

/** For sorting: what failed comes last. */
function worth({ loss }: Contender): number {
  return Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss;
}

/** Names that a point may have: options of the job, the method, its hyperparameters, the batch size. */
export function searchableNames({ job }: PreparedJob, methods: readonly string[]): string[] {
  const names = methods.flatMap(hyperparameterNames);
  return [...new Set([...Object.keys(job.options ?? {}), 'method', 'batchSize', ...names])];
}

/** What a point says of the job's options, of the method and of the batches; an option of the job goes before a hyperparameter of that name. */
function partsOf(point: Point, { job }: PreparedJob) {
  const declared = job.options ?? {};
  const entries = Object.entries(point).filter(([name]) => !(name in declared));
  const name = String(point.method ?? job.optimizer.name);
  const takes = hyperparameterNames(name);
  const hyperparameters = Object.fromEntries(entries.filter(([key]) => takes.includes(key)));
  return {
    options: Object.fromEntries(Object.entries(point).filter(([key]) => key in declared)),
    optimizer: { name, hyperparameters } as OptimizerSpec,
    ...(typeof point.batchSize === 'number' && !('batchSize' in declared) && { batchSize: point.batchSize }),
  };
}

async function train(
  contender: Contender,
  rung: number,
  cluster: LocalCluster,
  options: SearchOptions,
): Promise<void> {
  const { rungs, stop, line } = options;
  const id = `trial-${contender.number}`;
  const metrics: MetricEntry[] = [];
  try {
    const prepared = await prepareRung(contender.point, rung, options);
    const run = await trialRun(RunFolder.within(options.folder, id), id, prepared, cluster.flags);
    const resume = contender.rungs > 0;
    const { summary } = await runTraining(run, {
      ...{ cluster, resume, stop, line: (text: string) => line(`${id}: ${text}`) },
      onMetric: (entry) => metrics.push(entry),
    });
    if (stop.aborted) return;
    addCurve(contender, metrics, summary);
    contender.rungs = rung + 1;
    contender.loss = summary.loss;
    contender.accuracy = summary.accuracy;
    contender.passes = rungs[rung].passes;
    contender.trainMs += summary.trainMs;
  } catch (error) {
    if (stop.aborted) return;
    if (!(error instanceof TributaryError)) throw error;
    contender.failure = error.line;
    contender.loss = Number.NaN;
  }
  if (!Number.isFinite(contender.loss) && contender.failure === '')
    contender.failure = `its loss is ${contender.loss}`;
  options.onTrained(contender, rung);
}

/** The job of a point, laid out for the whole budget, up to the end of a rung. */
function prepareRung(point: Point, rung: number, options: SearchOptions): Promise<PreparedJob> {
  const { path, overrides, base, rungs } = options;
  const { options: values, optimizer, batchSize } = partsOf(point, base);
  const budget = { kind: 'passes', passes: rungs[rungs.length - 1].passes } as const;
  const { passes } = rungs[rung];
  return prepareJob(path, { ...overrides, options: { ...overrides.options, ...values } }, (job) => {
    const choice = { label: '', optimizer, ...(batchSize !== undefined && { batchSize }) };
    const whole = methodJob(job, choice, budget, base.spec.trainSize);
    const end = isStepMethod(optimizer)
      ? { passesMax: passes }
      : { steps: Math.max(1, Math.round((whole.steps! * passes) / budget.passes)) };
    return { ...whole, ...end };
  });
}

/** Evaluations on the way and the end; in between, passes grow in a straight line. */
function addCurve(
  { curve, passes: passesBefore }: Contender,
  metrics: readonly MetricEntry[],
  end: { readonly steps: number; readonly passes: number; readonly loss: number },
): void {
  const first = metrics.find((entry) => entry.kind === 'step');
  const begin = first?.step ?? 0;
  if (curve.length === 0 && first !== undefined) curve.push({ passes: 0, loss: first.loss });
  const passesAt = (step: number) =>
    passesBefore + (end.passes * (step - begin)) / Math.max(1, end.steps - begin);
  for (const entry of metrics) {
    if (entry.kind === 'evaluation' && entry.step > begin && entry.step < end.steps) {
      curve.push({ passes: passesAt(entry.step), loss: entry.loss });
    }
  }
  curve.push({ passes: passesAt(end.steps), loss: end.loss });
}

/** Each cluster takes the next of the items, in order, whenever it is done with one. */
async function onEach<T>(
  clusters: readonly LocalCluster[],
  items: readonly T[],
  work: (cluster: LocalCluster, item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const take = async (cluster: LocalCluster) => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(cluster, item);
  };
  await Promise.all(clusters.map(take));
}
