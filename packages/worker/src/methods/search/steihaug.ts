import { addScaled, dot, norm } from '../linear/vectors.ts';

export interface TrustRegionStep {
  readonly step: Float64Array;
  /** The change of the quadratic model g'p + p'Hp / 2 : 0 or below. */
  readonly foreseen: number;
  /** The step ends at the border of the region. */
  readonly atBorder: boolean;
}

/**
 * Minimises g'p + p'Hp / 2 within |p| <= radius by conjugate gradients, from products with H alone: until the residual is `tolerance`, or after
 * `iterationsMax` of them. Where the region ends, or a direction has no positive curvature, the step goes on to the border: so an indefinite H does no harm.
 * Steihaug, "The Conjugate Gradient Method and Trust Regions in Large Scale Optimization", 1983; Nocedal & Wright, algorithm 7.2.
 */
export async function steihaug(
  gradient: Float64Array,
  product: (vector: Float64Array) => Promise<Float64Array>,
  { radius, tolerance, iterationsMax }: { radius: number; tolerance: number; iterationsMax: number },
): Promise<TrustRegionStep> {
  const step = new Float64Array(gradient.length);
  const residual = gradient.slice();
  const direction = gradient.map((value) => -value);
  /** H step, kept up to date, so that the model's value needs no further product. */
  const curved = new Float64Array(gradient.length);
  let squares = dot(residual, residual);
  const finish = (atBorder: boolean): TrustRegionStep => ({
    step,
    foreseen: dot(gradient, step) + dot(step, curved) / 2,
    atBorder,
  });
  for (let iteration = 0; iteration < iterationsMax && Math.sqrt(squares) > tolerance; iteration++) {
    const curvedDirection = await product(direction);
    const curvature = dot(direction, curvedDirection);
    const length = squares / curvature;
    const border = distanceToBorder(step, direction, radius);
    const atBorder = !(curvature > 0) || length >= border;
    const taken = atBorder ? border : length;
    addScaled(step, taken, direction);
    addScaled(curved, taken, curvedDirection);
    if (atBorder) return finish(true);
    addScaled(residual, taken, curvedDirection);
    const next = dot(residual, residual);
    for (let index = 0; index < direction.length; index++)
      direction[index] = (next / squares) * direction[index] - residual[index];
    squares = next;
  }
  return finish(false);
}

/** The positive t with |step + t direction| = radius. */
function distanceToBorder(step: Float64Array, direction: Float64Array, radius: number): number {
  const along = dot(step, direction);
  const size = norm(direction);
  const missing = Math.max(0, radius * radius - dot(step, step));
  return (Math.sqrt(along * along + size * size * missing) - along) / (size * size);
}
