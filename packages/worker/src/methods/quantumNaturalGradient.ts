import { positive } from '@tributary/core/optimizer/options.ts';
import { solveShifted } from './linear/cholesky.ts';
import { requireSmall } from './linear/requireSmall.ts';
import { addScaled } from './linear/vectors.ts';
import type { StepContext } from './StepMethod.ts';
import { stepMethod } from './StepMethodRow.ts';

/**
 * Quantum natural gradient: p <- p - learningRate (g + damping I)^-1 gradient, where g is the Fubini-Study metric of the states of the model's circuit, its mean over the examples
 * of the step: steepest descent where length is measured by how far the states move, not by how far the angles do. (Stokes, Izaac, Killoran & Carleo,
 * "Quantum natural gradient", 2020.)
 *
 * Where the states do not move at all, as for parameters of classical layers, g is the identity, and the step is that of gradient descent. The metric is singular
 * wherever two angles do the same, hence the damping.
 *
 * Passes over the data: one for the gradient and one for the metric.
 */
export const quantumNaturalGradient = stepMethod({
  hyperparameters: { learningRate: positive(0.1), damping: positive(0.01) },
  create({ learningRate, damping }, layout) {
    requireSmall('quantum-natural-gradient', 'metric', layout);
    return { state: [], step: (context) => step(context, learningRate, damping) };
  },
});

async function step(context: StepContext, learningRate: number, damping: number): Promise<number> {
  const { parameters } = context;
  const { loss, gradient } = await context.gradient(parameters);
  if (!Number.isFinite(loss)) return loss;
  const metric = await context.metric(parameters);
  for (let i = 0; i < parameters.length; i++) {
    const diagonal = (i * (i + 3)) / 2;
    if (metric[diagonal] === 0) metric[diagonal] = 1;
  }
  const solved = solveShifted(metric, damping, gradient);
  if (solved === undefined) return Number.NaN;
  const moved = Float64Array.from(parameters);
  addScaled(moved, -learningRate, solved.x);
  parameters.set(moved);
  return loss;
}
