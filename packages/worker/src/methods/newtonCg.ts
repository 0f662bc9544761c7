import { flag, positive, wholeNumber } from '@tributary/core/optimizer/options.ts';
import { knownGradient, knownPointState, rememberPoint } from './knownPoint.ts';
import { addScaled, norm } from './linear/vectors.ts';
import { lossNoise, type StepContext } from './StepMethod.ts';
import { stepMethod } from './StepMethodRow.ts';
import { steihaug } from './search/steihaug.ts';

/** Nocedal & Wright, algorithm 4.1: how good the quadratic model must have been to be trusted further, and how bad for less. */
const goodRatio = 0.75;
const poorRatio = 0.25;
/** A step that gains less than this part of what was foreseen is not taken. */
const acceptRatio = 1e-4;

/**
 * Newton's method without a Hessian ("Hessian-free", truncated Newton): p <- p + d, where d minimises the quadratic model within a trust region by conjugate
 * gradients, from Hessian-vector products alone (search/steihaug.ts). The region grows and shrinks as the model was right or wrong about the true loss
 * (Nocedal & Wright, algorithm 4.1); a step that does not lower the loss is not taken. The inner iterations end at a residual of min(1/2, sqrt |g|) |g| (Dembo,
 * Eisenstat & Steihaug, 1982: superlinear convergence), or after `iterations`.
 *
 * `gaussNewton` takes the generalised Gauss-Newton matrix (Schraudolph, 2002) in place of the Hessian, as Martens, "Deep learning via Hessian-free optimization", 2010,
 * does: it has no negative curvature, so that every step is a minimum of its model, and a product costs less. The model must say its loss in two parts.
 *
 * Passes over the data: one for each inner iteration, and one for loss and gradient at the new point, which the next step knows if it sees the same
 * examples; one more if not.
 */
export const newtonCg = stepMethod({
  source: 'Steihaug, 1983; Nocedal & Wright, 2006',
  hyperparameters: {
    ...{ iterations: wholeNumber(1, 50), radius: positive(1), radiusMax: positive(100) },
    gaussNewton: flag(false),
  },
  create: ({ iterations, radius, radiusMax, gaussNewton }, { length }) => ({
    state: [{ name: 'radius', shape: [], initial: radius }, ...knownPointState(length)],
    step: (context) => step(context, iterations, radiusMax, gaussNewton),
  }),
});

async function step(
  context: StepContext,
  iterationsMax: number,
  radiusMax: number,
  gaussNewton: boolean,
): Promise<number> {
  const { parameters } = context;
  const start = await knownGradient(context);
  const { loss, gradient } = start;
  if (!Number.isFinite(loss)) return loss;
  const size = norm(gradient);
  if (size === 0) return loss;
  const radius = context.state('radius');
  const curvature = (vector: Float64Array) =>
    gaussNewton
      ? context.gaussNewtonVectorProduct(parameters, vector)
      : context.hessianVectorProduct(parameters, vector);
  const {
    step: change,
    foreseen,
    atBorder,
  } = await steihaug(gradient, curvature, {
    radius: radius[0],
    tolerance: Math.min(0.5, Math.sqrt(size)) * size,
    iterationsMax,
  });
  const point = parameters.slice();
  const sum = Float64Array.from(parameters);
  addScaled(sum, 1, change);
  point.set(sum);
  const found = await context.gradient(point);
  const decrease = loss - found.loss;
  // Where rounding hides the decrease, the model is taken at its word, or the region would shrink to nothing near the minimum.
  const hidden =
    Math.abs(decrease) <= lossNoise(loss, parameters) && -foreseen <= lossNoise(loss, parameters);
  const ratio = hidden ? 1 : decrease / -foreseen;
  if (!(ratio >= poorRatio)) radius[0] = norm(change) / 4;
  else if (ratio > goodRatio && atBorder) radius[0] = Math.min(2 * radius[0], radiusMax);
  const accepted = ratio > acceptRatio;
  if (accepted) parameters.set(point);
  rememberPoint(context, accepted ? found : start);
  return loss;
}
