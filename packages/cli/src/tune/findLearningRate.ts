import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { JobOverrides } from '@tributary/worker/job/createJobSpec.ts';
import type { Job } from '@tributary/worker/job/Job.ts';
import type { OverrideFlags } from '../commands/flags.ts';
import type { LocalCluster } from '../launcher/LocalCluster.ts';
import { prepareJob } from '../parameters/prepareJob.ts';
import { RunFolder } from '../runs/RunFolder.ts';
import { runTraining } from '../runs/runTraining.ts';
import { trialRun } from '../runs/trialRun.ts';
import { type FoundRate, findRate, hasExploded, smoothedLosses } from './findRate.ts';
import { type NoiseScale, noiseScale } from './noiseScale.ts';

export interface ProbeOptions {
  readonly path: string;
  readonly overrides: OverrideFlags;
  readonly cluster: LocalCluster;
  /** Of the whole; a probe is a run within it. */
  readonly folder: RunFolder;
  readonly stop: AbortSignal;
  readonly line: (text: string) => void;
  readonly onProgress: (stepsDone: number, loss: number) => void;
}

export interface RateRange {
  readonly from: number;
  readonly to: number;
  readonly steps: number;
}

/** Trains while the learning rate grows from step to step, until the loss explodes; see findRate. */
export async function findLearningRate(
  options: ProbeOptions,
  { from, to, steps }: RateRange,
): Promise<FoundRate> {
  const ratio = to / from;
  const metrics = await probe(
    options,
    'learning-rate',
    ({ optimizer }) => ({
      optimizer: withRate(optimizer, to),
      schedule: { name: 'ramp', options: { steps, ratio } },
      ...{ steps, rejectedMax: 0 },
    }),
    (found) => hasExploded(smoothedLosses(found)),
  );
  return findRate(metrics, (step) => from * ratio ** (step / steps));
}

/** Trains some passes at a constant rate, and measures how much gradients differ from rank to rank. */
export async function measureNoiseScale(
  options: ProbeOptions,
  rate: number,
  passes: number,
): Promise<NoiseScale> {
  const metrics = await probe(options, 'noise', ({ optimizer }) => ({
    optimizer: withRate(optimizer, rate),
    schedule: { name: 'constant', options: {} },
    ...{ epochs: passes, measureNoise: true },
  }));
  return noiseScale(metrics);
}

function withRate({ name, hyperparameters }: Job['optimizer'], learningRate: number): Job['optimizer'] {
  return { name, hyperparameters: { ...hyperparameters, learningRate } };
}

/** A training for what its metrics say; that it fails, or that `isEnough` ends it, is no error. */
async function probe(
  { path, overrides, cluster, folder, stop, line, onProgress }: ProbeOptions,
  id: string,
  change: (job: Job) => JobOverrides,
  isEnough: (metrics: readonly MetricEntry[]) => boolean = () => false,
): Promise<MetricEntry[]> {
  const prepared = await prepareJob(path, overrides, (job) => ({
    ...{ evaluateEverySteps: 0, checkpointEverySteps: 0 },
    ...change(job),
  }));
  const metrics: MetricEntry[] = [];
  const enough = new AbortController();
  try {
    await runTraining(await trialRun(RunFolder.within(folder, id), id, prepared, cluster.flags), {
      ...{ cluster, stop: AbortSignal.any([stop, enough.signal]), line },
      onMetric: (entry) => {
        metrics.push(entry);
        if (entry.kind !== 'step') return;
        onProgress(entry.step + 1, entry.loss);
        if (isEnough(metrics)) enough.abort();
      },
    });
  } catch (error) {
    // What a rate that is too large ends with: gradients that are no numbers.
    if (!(error instanceof TributaryError && error.code === 'ABORTED' && metrics.length > 0)) throw error;
  }
  return metrics;
}
