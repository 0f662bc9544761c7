/** The function along a line, at distance t from where the search began: its value and slope, and the point with what belongs to it. */
export interface LinePoint<Point> {
  readonly t: number;
  readonly value: number;
  readonly slope: number;
  readonly point: Point;
}

/** Sufficient decrease and curvature, as is customary for quasi-Newton methods. */
const c1 = 1e-4;
const c2 = 0.9;
const evaluationsMax = 25;
/** Two points nearer than this are one. */
const changeLeast = 1e-9;

/**
 * A point that satisfies the strong Wolfe conditions: f(t) <= f(0) + c1 t f'(0) and |f'(t)| <= c2 |f'(0)|. First the bracket grows by cubic
 * extrapolation, then it is narrowed by cubic interpolation: Nocedal & Wright, algorithms 3.5 and 3.6, with the safeguards of M. Schmidt's minFunc
 * (2005), which PyTorch's LBFGS has too, so that both make the same steps. If `evaluationsMax` do not suffice, the best end of the bracket, which may be the
 * start. A rise of at most `noise` counts as none, for it may be rounding; where values no longer tell, the slopes decide (Hager & Zhang, 2005).
 */
export async function strongWolfe<Point>(
  evaluate: (t: number) => Promise<LinePoint<Point>>,
  start: LinePoint<Point>,
  firstT: number,
  { directionMax, noise }: { directionMax: number; noise: number },
): Promise<LinePoint<Point>> {
  const falls = ({ t, value }: LinePoint<Point>) => value <= start.value + c1 * t * start.slope + noise;
  const flat = ({ slope }: LinePoint<Point>) => Math.abs(slope) <= -c2 * start.slope;

  let previous = start;
  let current = await evaluate(firstT);
  let evaluations = 1;
  while (evaluations < evaluationsMax && falls(current)) {
    if (evaluations > 2 && current.value >= previous.value + noise) break;
    if (flat(current)) return current;
    if (current.slope >= 0) break;
    const t = cubicMinimum(previous, current, [current.t + 0.01 * (current.t - previous.t), current.t * 10]);
    previous = current;
    current = await evaluate(t);
    evaluations++;
  }

  let [low, high] = previous.value <= current.value ? [previous, current] : [current, previous];
  let slow = false;
  while (evaluations < evaluationsMax && Math.abs(high.t - low.t) * directionMax >= changeLeast) {
    const [left, right] = low.t < high.t ? [low.t, high.t] : [high.t, low.t];
    let t = cubicMinimum(low, high, [left, right]);
    // A trial near an end of the bracket narrows it little: twice in a row, or at the very end, it is moved inwards.
    const margin = 0.1 * (right - left);
    if (Math.min(right - t, t - left) >= margin) slow = false;
    else if (slow || t >= right || t <= left) {
      t = Math.abs(t - right) < Math.abs(t - left) ? right - margin : left + margin;
      slow = false;
    } else slow = true;
    const trial = await evaluate(t);
    evaluations++;
    if (!falls(trial) || trial.value >= low.value + noise) {
      high = trial;
      if (high.value < low.value) [low, high] = [high, low];
    } else {
      if (flat(trial)) return trial;
      if (trial.slope * (high.t - low.t) >= 0) high = low;
      low = trial;
    }
  }
  return low;
}

/** Where the cubic through two points with their slopes is least, within bounds; the middle if it has no minimum. Nocedal & Wright, equation 3.59. */
function cubicMinimum<Point>(
  a: LinePoint<Point>,
  b: LinePoint<Point>,
  [least, most]: [number, number],
): number {
  const [left, right] = a.t <= b.t ? [a, b] : [b, a];
  const d1 = left.slope + right.slope - (3 * (left.value - right.value)) / (left.t - right.t);
  const square = d1 * d1 - left.slope * right.slope;
  if (!(square >= 0)) return (least + most) / 2;
  const d2 = Math.sqrt(square);
  const t = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return Number.isNaN(t) ? (least + most) / 2 : Math.min(Math.max(t, least), most);
}
