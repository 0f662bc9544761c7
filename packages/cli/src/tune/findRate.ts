import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';

/** A learning rate, and the loss that training came to with it. */
export interface RateLoss {
  readonly rate: number;
  readonly loss: number;
}

export interface FoundRate {
  /** Losses smoothed, in order of rate, up to where they exploded. */
  readonly curve: readonly RateLoss[];
  /** Where the loss fell fastest; undefined if it never fell. */
  readonly rate: number | undefined;
  /** Of the least loss: beyond it training goes wrong. */
  readonly edge: number | undefined;
}

/** How much of the smoothed loss stays from step to step. */
const memory = 0.9;
/** Beyond so many times the least loss training has gone wrong. */
const explosion = 4;
/** Too few to tell a slope. */
const pointsLeast = 5;
/** Steps until the smoothed loss is the mean of enough. */
const settled = 8;
/** A lesser part of the loss is chance. */
const fallLeast = 0.01;

/** Losses by step, means over the ranks where these go by themselves, smoothed with the start corrected as in Adam. */
export function smoothedLosses(metrics: readonly MetricEntry[]): number[] {
  const sums = new Map<number, { loss: number; count: number }>();
  for (const entry of metrics) {
    if (entry.kind !== 'step') continue;
    const { loss, count } = sums.get(entry.step) ?? { loss: 0, count: 0 };
    sums.set(entry.step, { loss: loss + entry.loss, count: count + 1 });
  }
  let average = 0;
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([, { loss, count }], index) => {
      average = memory * average + (1 - memory) * (loss / count);
      return average / (1 - memory ** (index + 1));
    });
}

export function hasExploded(losses: readonly number[]): boolean {
  return (
    losses.length > pointsLeast && !(losses[losses.length - 1] <= explosion * Math.abs(Math.min(...losses)))
  );
}

/**
 * What a training says whose rate grew exponentially. The rate to take is that at which the smoothed loss falls fastest against the logarithm of the rate: well before
 * the edge, and far from where nothing moves. Smith, "Cyclical Learning Rates for Training Neural Networks", 2017; the slope as in Howard & Gugger's fastai.
 */
export function findRate(metrics: readonly MetricEntry[], rateAt: (step: number) => number): FoundRate {
  const losses = smoothedLosses(metrics);
  const end = losses.findIndex((_, index) => hasExploded(losses.slice(0, index + 1)));
  // A step's loss was computed before its update: it shows the rate of the step before.
  const curve = losses
    .slice(0, end < 0 ? losses.length : end)
    .map((loss, step) => ({ rate: rateAt(Math.max(0, step - 1)), loss }))
    .filter(({ loss }) => Number.isFinite(loss));
  if (curve.length < pointsLeast) return { curve, rate: undefined, edge: undefined };
  const least = curve.reduce((best, point, index) => (point.loss < curve[best].loss ? index : best), 0);
  const fell = curve[0].loss - curve[least].loss > fallLeast * Math.abs(curve[0].loss);
  const steepest = fell ? steepestFall(curve, least) : undefined;
  return {
    curve,
    rate: steepest && curve[steepest].rate,
    edge: steepest && curve[least].rate,
  };
}

/** Before `end`, over some points each way; undefined if it falls nowhere. */
function steepestFall(curve: readonly RateLoss[], end: number): number | undefined {
  const reach = Math.max(2, Math.round(curve.length / 20));
  let steepest: number | undefined;
  let most = 0;
  // The first averages are of few losses, and mean little.
  for (let index = Math.min(settled, end) + reach; index <= end; index++) {
    const [from, to] = [curve[index - reach], curve[Math.min(curve.length - 1, index + reach)]];
    const fall = (from.loss - to.loss) / Math.log(to.rate / from.rate);
    if (fall > most) [steepest, most] = [index, fall];
  }
  return steepest;
}
