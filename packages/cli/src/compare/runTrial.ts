import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import type { LocalCluster } from '../launcher/LocalCluster.ts';
import { evaluateParameters } from '../parameters/evaluateParameters.ts';
import type { PreparedJob } from '../parameters/prepareJob.ts';
import type { RunProgress } from '../progress/RunProgress.ts';
import type { RunFolder } from '../runs/RunFolder.ts';
import { runTraining } from '../runs/runTraining.ts';
import { trialRun } from '../runs/trialRun.ts';
import type { Trial } from './compareTrials.ts';
import { measureInference } from './measureInference.ts';
import type { Budget } from './methodJob.ts';
import { trialCurve } from './trialCurve.ts';

export interface TrialOptions {
  readonly method: string;
  readonly prepared: PreparedJob;
  readonly budget: Budget;
  readonly folder: RunFolder;
  readonly cluster: LocalCluster;
  /** Ctrl-C. */
  readonly stop: AbortSignal;
  readonly line: (text: string) => void;
  /** `fraction` of the budget that is used. */
  readonly onProgress: (fraction: number, progress: RunProgress) => void;
}

/** Trains once within the budget. Undefined if it was stopped before the budget was used; what there is lies in its folder. Throws as runTraining does. */
export async function runTrial(options: TrialOptions): Promise<Trial | undefined> {
  const { method, prepared, budget, folder, cluster, stop, line } = options;
  const { job, spec, shape } = prepared;
  const { parameters: first } = await prepared.begin();
  const run = await trialRun(folder, `${method}, seed ${spec.seed}`, prepared, cluster.flags);
  const metrics: MetricEntry[] = [];
  const clock = new BudgetClock(budget);
  const { summary, flat } = await runTraining(run, {
    ...{ cluster, stop: AbortSignal.any([stop, clock.used]), line },
    onPlaced: () => clock.start(),
    onMetric: (entry, progress) => {
      metrics.push(entry);
      if (entry.kind === 'evaluation') clock.leaveOut(entry.tookMs);
      if (entry.kind === 'step' || entry.kind === 'usage')
        options.onProgress(clock.fraction(progress), progress);
    },
  }).finally(() => clock.stop());
  if (stop.aborted) return undefined;

  // A last step in which a method only saw that its passes are made is none.
  const steps = metrics.reduce(
    (most, entry) => (entry.kind === 'step' ? Math.max(most, entry.step + 1) : most),
    0,
  );
  const before = await evaluateParameters(
    job,
    shape,
    first.subarray(0, shape.layout.length),
    cluster.flags.compute,
  );
  const curve = trialCurve({
    ...{ metrics, startedAtMs: clock.startedAtMs, trainSize: spec.trainSize },
    ...{ firstLoss: before.loss, lastLoss: summary.loss, steps },
  });
  const { loss, accuracy, passes, pushedBytes, memoryBytes } = summary;
  return {
    ...{ method, seed: spec.seed, loss, accuracy, steps, passes, pushedBytes, memoryBytes, curve },
    trainMs: curve[curve.length - 1].timeMs,
    inferenceMs: await measureInference(prepared, flat, cluster.flags.compute),
    folder: folder.path,
  };
}

/** Says when a budget of seconds is used; one of passes ends by itself. */
class BudgetClock {
  readonly #budget: Budget;
  readonly #used = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  #leftOutMs = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  get used(): AbortSignal {
    return this.#used.signal;
  }

  /** Ms since 1970. */
  get startedAtMs(): number {
    return this.#startedAtMs;
  }

  /** Later calls, as after a server was replaced, change nothing. */
  start(): void {
    if (this.#startedAtMs > 0) return;
    this.#startedAtMs = Date.now();
    this.#arm();
  }

  /** Time that training waited for an evaluation. */
  leaveOut(ms: number): void {
    this.#leftOutMs += ms;
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  fraction(progress: RunProgress): number {
    return this.#budget.kind === 'passes'
      ? progress.passes / this.#budget.passes
      : this.#elapsedMs() / (1000 * this.#budget.seconds);
  }

  #elapsedMs(): number {
    return Date.now() - this.#startedAtMs - this.#leftOutMs;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#budget.kind === 'passes') return;
    this.#timer = setTimeout(() => this.#used.abort(), 1000 * this.#budget.seconds - this.#elapsedMs());
  }
}
