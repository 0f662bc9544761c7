import { quantile, type Spread, spreadOf } from './statistics.ts';
import type { CurvePoint } from './trialCurve.ts';

/** One training of one method with one seed, as it came out. */
export interface Trial {
  readonly method: string;
  readonly seed: number;
  /** Of the trained parameters, on the test data if there are any. */
  readonly loss: number;
  readonly accuracy: number | null;
  /** Evaluations left out. */
  readonly trainMs: number;
  readonly steps: number;
  readonly passes: number;
  readonly pushedBytes: number;
  readonly memoryBytes: number;
  /** Of single examples, each. */
  readonly inferenceMs: readonly number[];
  readonly curve: readonly CurvePoint[];
  /** Its run folder. */
  readonly folder: string;
}

/** A method that could not train this job, and why. */
export interface Failure {
  readonly method: string;
  readonly reason: string;
}

/** What the trials of one method came to: means over them, but for the memory, which is that of the first. */
export interface MethodResult {
  readonly method: string;
  readonly trials: number;
  readonly loss: Spread;
  readonly accuracy: Spread | null;
  readonly trainMs: Spread;
  /** Of the trials that reached the target; null if none did. */
  readonly targetMs: Spread | null;
  readonly targetBytes: number | null;
  readonly reached: number;
  readonly inferenceMedianMs: number;
  readonly inferenceP99Ms: number;
  readonly steps: number;
  readonly passes: number;
  readonly pushedBytes: number;
  readonly memoryBytes: number;
}

/** Per method, least loss first. */
export function compareTrials(trials: readonly Trial[], target: number): MethodResult[] {
  const methods = [...new Set(trials.map(({ method }) => method))];
  return methods
    .map((method) =>
      resultOf(
        method,
        trials.filter((trial) => trial.method === method),
        target,
      ),
    )
    .sort((a, b) => a.loss.mean - b.loss.mean || (Number.isNaN(a.loss.mean) ? 1 : -1));
}

/** A loss that about half of the methods reach with every seed: the worst final one of the method in the middle. */
export function middleTarget(trials: readonly Trial[]): number {
  const worst = [...new Set(trials.map(({ method }) => method))].map((method) =>
    Math.max(...trials.filter((trial) => trial.method === method).map(({ loss }) => loss)),
  );
  return quantile(worst.filter(Number.isFinite), 0.5);
}

function resultOf(method: string, trials: readonly Trial[], target: number): MethodResult {
  const mean = (value: (trial: Trial) => number) => spreadOf(trials.map(value)).mean;
  const accuracies = trials.map(({ accuracy }) => accuracy).filter((accuracy) => accuracy !== null);
  const there = trials.flatMap(({ curve }) => curve.find(({ loss }) => loss <= target) ?? []);
  const inference = trials.flatMap(({ inferenceMs }) => inferenceMs);
  return {
    method,
    trials: trials.length,
    loss: spreadOf(trials.map(({ loss }) => loss)),
    accuracy: accuracies.length === 0 ? null : spreadOf(accuracies),
    trainMs: spreadOf(trials.map(({ trainMs }) => trainMs)),
    targetMs: there.length === 0 ? null : spreadOf(there.map(({ timeMs }) => timeMs)),
    targetBytes: there.length === 0 ? null : spreadOf(there.map(({ pushedBytes }) => pushedBytes)).mean,
    reached: there.length,
    inferenceMedianMs: quantile(inference, 0.5),
    inferenceP99Ms: quantile(inference, 0.99),
    steps: mean(({ steps }) => steps),
    passes: mean(({ passes }) => passes),
    pushedBytes: mean(({ pushedBytes }) => pushedBytes),
    // The processes of a later one still hold what other methods took.
    memoryBytes: trials[0].memoryBytes,
  };
}
