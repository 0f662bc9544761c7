import { nonNegative } from '@tributary/core/optimizer/options.ts';
import { solveShifted } from './linear/cholesky.ts';
import { requireSmall } from './linear/requireSmall.ts';
import { dot } from './linear/vectors.ts';
import type { StepContext } from './StepMethod.ts';
import { stepMethod } from './StepMethodRow.ts';
import { backtrack } from './search/backtrack.ts';

/** How good the model must have been for less damping, how bad for more, and by how much: Marquardt, 1963, as in Nocedal & Wright, section 10.3. */
const goodRatio = 0.75;
const poorRatio = 0.25;
const dampingFactor = 4;

/**
 * Newton's method with the exact Hessian H: p <- p + a d, (H + (damping + shift) I) d = -g. Quadratic convergence near a minimum.
 *
 * `shift` makes an indefinite matrix positive definite (see linear/cholesky.ts). `damping` (Levenberg, 1944; Marquardt, 1963) is what the first step begins with; later
 * steps divide or multiply it by 4 as the quadratic model was right or wrong. 0, the default, stays 0. `a` is the first of 1, 1/2, 1/4, ... by which
 * the true loss falls (search/backtrack.ts); if none does, the parameters stay.
 *
 * Passes over the data: one for the gradient, one for the Hessian, one for each trial of the search, that is 3 where the full step is good.
 */
export const newton = stepMethod({
  source: 'Levenberg, 1944; Nocedal & Wright, 2006',
  hyperparameters: { damping: nonNegative(0) },
  create({ damping }, layout) {
    requireSmall('newton', 'Hessian', layout);
    return { state: [{ name: 'damping', shape: [], initial: damping }], step };
  },
});

async function step(context: StepContext): Promise<number> {
  const { parameters } = context;
  const { loss, gradient } = await context.gradient(parameters);
  if (!Number.isFinite(loss)) return loss;
  const dampingState = context.state('damping');
  const [damping] = dampingState;
  const solved = solveShifted(
    await context.hessian(parameters),
    damping,
    gradient.map((value) => -value),
  );
  if (solved === undefined) return Number.NaN;
  const { x: direction, shift } = solved;
  const slope = dot(gradient, direction);
  if (slope === 0) return loss;
  const found = await backtrack((point) => context.loss(point), parameters, loss, direction, slope);

  // d'Hd = -g'd - (damping + shift) d'd, so the quadratic model needs no further product.
  const foreseen = -slope / 2 + ((damping + shift) / 2) * dot(direction, direction);
  const ratio = found === undefined || found.part < 1 ? 0 : (loss - found.loss) / foreseen;
  if (ratio > goodRatio) dampingState[0] /= dampingFactor;
  else if (ratio < poorRatio) dampingState[0] *= dampingFactor;
  if (found !== undefined) parameters.set(found.point);
  return loss;
}
