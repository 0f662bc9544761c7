import { wholeNumber } from '@tributary/core/optimizer/options.ts';
import { knownGradient, knownPointState, rememberPoint } from './knownPoint.ts';
import { addScaled, dot, norm } from './linear/vectors.ts';
import { type LossAndGradient, lossNoise, type StepContext, type Vector } from './StepMethod.ts';
import { stepMethod } from './StepMethodRow.ts';
import { type LinePoint, strongWolfe } from './search/strongWolfe.ts';

/** A pair with s'y at most this part of |s| |y| says nothing of the curvature, and is not kept. */
const curvatureLeast = 1e-8;

/**
 * L-BFGS: p <- p - t H g, where H stands for the inverse Hessian and is known only by the last `history` pairs of steps s and changes of the gradient y (the
 * two-loop recursion), and t satisfies the strong Wolfe conditions (search/strongWolfe.ts), so that s'y > 0. Liu & Nocedal, "On the Limited Memory BFGS Method for
 * Large Scale Optimization", 1989; Nocedal & Wright, algorithms 7.4 and 7.5.
 *
 * Passes over the data: one for each trial of the search, mostly one a step; one more if steps see different examples. y is then of the examples of one step, at
 * both ends (Byrd et al., 2016), but the method wants full batches, or large ones. State: 2 `history` + 1 vectors as long as the parameters.
 */
export const lbfgs = stepMethod({
  source: 'Liu & Nocedal, 1989',
  hyperparameters: { history: wholeNumber(1, 10) },
  create: ({ history }, { length }) => ({
    state: [
      { name: 'steps', shape: [history, length], initial: 0 },
      { name: 'changes', shape: [history, length], initial: 0 },
      { name: 'pairs', shape: [], initial: 0 },
      ...knownPointState(length),
    ],
    step: (context) => step(context, history),
  }),
});

/** A point of the search: the rounded parameters, and their gradient. */
interface Trial extends LossAndGradient {
  readonly at: Vector;
}

async function step(context: StepContext, history: number): Promise<number> {
  const { parameters } = context;
  const start = await knownGradient(context);
  const { loss, gradient } = start;
  if (!Number.isFinite(loss)) return loss;
  const pairs = context.state('pairs');
  const direction = quasiNewtonDirection(context, history, gradient);
  const slope = dot(gradient, direction);
  // At a minimum, as far as numbers go.
  if (!(slope < 0)) return loss;
  const evaluate = async (t: number): Promise<LinePoint<Trial>> => {
    const at = parameters.slice();
    for (let index = 0; index < at.length; index++) at[index] = parameters[index] + t * direction[index];
    const found = await context.gradient(at);
    return { t, value: found.loss, slope: dot(found.gradient, direction), point: { at, ...found } };
  };
  // Without a history the gradient says nothing about how far to go.
  const firstT = pairs[0] === 0 ? Math.min(1, 1 / sumOfMagnitudes(gradient)) : 1;
  const { t, point } = await strongWolfe(
    evaluate,
    { t: 0, value: loss, slope, point: { at: parameters, ...start } },
    firstT,
    { directionMax: largestMagnitude(direction), noise: lossNoise(loss, parameters) },
  );
  if (t === 0 || !Number.isFinite(point.loss)) {
    // The history leads nowhere: begin again from the gradient.
    pairs[0] = 0;
    rememberPoint(context, start);
    return loss;
  }
  remember(context, history, point, gradient);
  parameters.set(point.at);
  rememberPoint(context, point);
  return loss;
}

/** -H g by the two-loop recursion, from the newest pair to the oldest and back. */
function quasiNewtonDirection(context: StepContext, history: number, gradient: Float64Array): Float64Array {
  const [count] = context.state('pairs');
  const direction = gradient.map((value) => -value);
  const kept = Array.from({ length: Math.min(count, history) }, (_, age) => {
    const place = (count - 1 - age) % history;
    const s = rowOf(context.state('steps'), place, gradient.length);
    const y = rowOf(context.state('changes'), place, gradient.length);
    return { s, y, curvature: dot(s, y) };
  });
  const factors = kept.map(({ s, y, curvature }) => {
    const factor = dot(s, direction) / curvature;
    addScaled(direction, -factor, y);
    return factor;
  });
  if (kept.length > 0) {
    const [{ y, curvature }] = kept;
    const scale = curvature / dot(y, y);
    for (let index = 0; index < direction.length; index++) direction[index] *= scale;
  }
  for (let age = kept.length - 1; age >= 0; age--) {
    const { s, y, curvature } = kept[age];
    addScaled(direction, factors[age] - dot(y, direction) / curvature, s);
  }
  return direction;
}

function remember(
  context: StepContext,
  history: number,
  { at, gradient }: Trial,
  before: Float64Array,
): void {
  const { parameters } = context;
  const s = Float64Array.from(at, (value, index) => value - parameters[index]);
  const y = gradient.map((value, index) => value - before[index]);
  if (!(dot(s, y) > curvatureLeast * norm(s) * norm(y))) return;
  const pairs = context.state('pairs');
  const place = pairs[0] % history;
  rowOf(context.state('steps'), place, s.length).set(s);
  rowOf(context.state('changes'), place, s.length).set(y);
  pairs[0]++;
}

function rowOf(matrix: Vector, row: number, length: number): Vector {
  return matrix.subarray(row * length, (row + 1) * length);
}

function sumOfMagnitudes(vector: Float64Array): number {
  return vector.reduce((sum, value) => sum + Math.abs(value), 0);
}

function largestMagnitude(vector: Float64Array): number {
  return vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
