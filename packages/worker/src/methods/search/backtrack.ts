import { lossNoise, type Vector } from '../StepMethod.ts';

/** What the first trial is multiplied by, again and again. */
const shrink = 0.5;
/** The part of the foreseen decrease that is enough: Armijo's constant, as customary. */
const enough = 1e-4;
/** Beyond this a step is a millionth of the first: the direction is none. */
const trialsMax = 20;

export interface Found {
  readonly point: Vector;
  readonly loss: number;
  /** Which part of the direction was gone. */
  readonly part: number;
}

/**
 * The first of start + direction, start + direction / 2, ... with f <= f(start) + 1e-4 * part * slope (Armijo, 1966); undefined if none is. A decrease
 * that rounding hides is taken for one, or no search would end well near the minimum.
 */
export async function backtrack(
  f: (point: Vector) => Promise<number>,
  start: Vector,
  startLoss: number,
  direction: Float64Array,
  slope: number,
): Promise<Found | undefined> {
  const noise = lossNoise(startLoss, start);
  for (let trial = 0, part = 1; trial < trialsMax; trial++, part *= shrink) {
    const point = start.slice();
    for (let index = 0; index < point.length; index++) point[index] = start[index] + part * direction[index];
    const loss = await f(point);
    if (loss <= startLoss + enough * part * slope + noise) return { point, loss, part };
  }
  return undefined;
}
