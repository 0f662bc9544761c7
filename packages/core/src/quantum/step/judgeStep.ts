/** A step that was tried: how it was meant, and what came of it. */
export interface TriedStep {
  readonly step: Float64Array;
  /** The trust region in which it was sought: how far each parameter might go. */
  readonly ranges: Float64Array;
  /** The change of the loss that the model foresaw. */
  readonly predicted: number;
  /** The true change of the loss. NaN is a failure like a rise. */
  readonly actual: number;
}

export interface Judgement {
  readonly accepted: boolean;
  /** What to multiply the ranges by, before the next step. */
  readonly rangeFactor: number;
}

/**
 * Takes a step if the true loss falls, and says how far the model is to be trusted next: less where it promised four times too much, further where it was right and the
 * step was cut short by the region (Nocedal & Wright, "Numerical Optimization", 2006, algorithm 4.1; Conn, Gould & Toint, "Trust-Region Methods", 2000).
 *
 * A step on a grid has one more reason to shrink: one that stays in the inner half of the region, or that even the model does not like, wants a finer grid.
 */
export function judgeStep({ step, ranges, predicted, actual }: TriedStep): Judgement {
  const accepted = actual < 0;
  if (!accepted || actual > 0.25 * predicted) return { accepted, rangeFactor: 0.5 };
  const reach = step.reduce((most, move, i) => Math.max(most, Math.abs(move) / ranges[i]), 0);
  if (reach <= 0.5) return { accepted, rangeFactor: 0.5 };
  // The outermost value of the grid is the range itself, but for rounding.
  const cutShort = reach > 1 - 1e-9 && actual < 0.75 * predicted;
  return { accepted, rangeFactor: cutShort ? 2 : 1 };
}
