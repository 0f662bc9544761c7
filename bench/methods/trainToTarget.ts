import { join } from 'node:path';
import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { JobOverrides } from '@tributary/worker/job/createJobSpec.ts';
import type { Job } from '@tributary/worker/job/Job.ts';
import { isStepMethod } from '@tributary/worker/methods/table.ts';
import { type CurvePoint, trialCurve } from '../../packages/cli/src/compare/trialCurve.ts';
import { type ClusterFlags, LocalCluster } from '../../packages/cli/src/launcher/LocalCluster.ts';
import { evaluateParameters } from '../../packages/cli/src/parameters/evaluateParameters.ts';
import { prepareJob } from '../../packages/cli/src/parameters/prepareJob.ts';
import { RunFolder } from '../../packages/cli/src/runs/RunFolder.ts';
import { runTraining } from '../../packages/cli/src/runs/runTraining.ts';
import { trialRun } from '../../packages/cli/src/runs/trialRun.ts';

/** Loss on the test data at which a method has done its work. */
export const targets = { network: 0.5, logistic: 0.6 } as const;
export type Problem = keyof typeof targets;

/** What a training by some method took. */
export interface MethodCost {
  /** Until an evaluation first found the target's loss, or less; undefined if that did not happen. */
  readonly target: CurvePoint | undefined;
  /** Of the last evaluation. */
  readonly loss: number;
  /** Means over the training; undefined if not one was made. */
  readonly step: (Pick<CurvePoint, 'passes' | 'pushedBytes'> & { readonly ms: number }) | undefined;
}

const flags: ClusterFlags = {
  ...{ servers: 2, workers: 2, leaseMs: limits.leaseMs, transport: 'auto' },
  ...{ compute: 'auto', computeThreads: 1, selfCheck: false },
};
/** Never reached: the target, or the time, ends a training. */
const stepsMax = 100_000;

/** Trains one of the problems as `example`, the job of a page, trains its own, until the target or for `seconds`. */
export async function trainToTarget(
  example: Job,
  problem: Problem,
  { seconds, folder }: { seconds: number; folder: string },
): Promise<MethodCost> {
  const prepared = await prepareJob(join(import.meta.dirname, `${problem}.ts`), {}, () => trainedAs(example));
  const { job, spec, shape } = prepared;
  const run = RunFolder.within(RunFolder.choose(folder, problem, new Date()).folder, problem);
  const cluster = new LocalCluster(prepared.file, flags);
  const metrics: MetricEntry[] = [];
  const enough = new AbortController();
  let startedAtMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const { summary } = await runTraining(await trialRun(run, problem, prepared, flags), {
    ...{ cluster, stop: enough.signal, line: (text) => console.error(text) },
    onPlaced: () => {
      startedAtMs ||= Date.now();
      timer ??= setTimeout(() => enough.abort(), 1000 * seconds);
    },
    onMetric: (entry) => {
      metrics.push(entry);
      if (entry.kind === 'evaluation' && entry.loss <= targets[problem]) enough.abort();
    },
  }).finally(() => {
    clearTimeout(timer);
    return cluster.close();
  });
  const { parameters } = await prepared.begin();
  const first = await evaluateParameters(job, shape, parameters.subarray(0, shape.layout.length), 'auto');
  const curve = trialCurve({
    ...{ metrics, startedAtMs, trainSize: spec.trainSize, steps: summary.steps },
    ...{ firstLoss: first.loss, lastLoss: summary.loss },
  });
  const last = curve[curve.length - 1];
  return {
    target: curve.find(({ loss }) => loss <= targets[problem]),
    loss: last.loss,
    step:
      last.step === 0
        ? undefined
        : {
            ms: last.timeMs / last.step,
            passes: last.passes / last.step,
            pushedBytes: last.pushedBytes / last.step,
          },
  };
}

/** All that the job says but its problem and its length; evaluations as often as they cost little beside the steps. */
function trainedAs({ model: _, data: __, epochs: ___, ...example }: Job): JobOverrides {
  const { optimizer, sampling } = example;
  return {
    ...{ ...example, steps: stepsMax, checkpointEverySteps: 0 },
    evaluateEverySteps: isStepMethod(optimizer) && sampling === 'full' ? 1 : 5,
  };
}
