/** What a contender came to at the end of a rung; NaN or infinite if it cannot be used. */
export type Score = number;

export interface Rung {
  /** Passes over the data that a contender has made at its end, from its own beginning. */
  readonly passes: number;
  /** How many contend. */
  readonly contenders: number;
}

/**
 * The rungs of successive halving: all begin with a part of the budget, the better 1 / `eta` of each rung goes on to `eta` times as much, and the last has the whole. Jamieson &
 * Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", 2016; rungs as in Li et al., "Hyperband", 2018.
 */
export function rungsOf(contenders: number, passesMax: number, passesMin: number, eta: number): Rung[] {
  const byCount = Math.floor(Math.log(contenders) / Math.log(eta) + 1e-9);
  const byPasses = Math.floor(Math.log(passesMax / passesMin) / Math.log(eta) + 1e-9);
  const last = Math.max(0, Math.min(byCount, byPasses));
  return Array.from({ length: last + 1 }, (_, index) => ({
    passes: passesMax / eta ** (last - index),
    contenders: Math.max(1, Math.floor(contenders / eta ** index)),
  }));
}

/** The best `count`, best first; what has no score that can be used is none of them. */
export function survivors<Contender>(
  contenders: readonly Contender[],
  scoreOf: (contender: Contender) => Score,
  count: number,
): Contender[] {
  return contenders
    .filter((contender) => Number.isFinite(scoreOf(contender)))
    .sort((a, b) => scoreOf(a) - scoreOf(b))
    .slice(0, count);
}
