import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { flag, fraction, positive } from '@tributary/core/optimizer/options.ts';
import { type DenseLayer, denseLayers } from '../../autodiff/denseLayers.ts';
import { factorsLength } from '../../autodiff/kroneckerFactors.ts';
import { dot } from '../linear/vectors.ts';
import type { StepContext } from '../StepMethod.ts';
import { stepMethod } from '../StepMethodRow.ts';
import { solveKronecker } from './solveKronecker.ts';

/**
 * K-FAC: p <- p - learningRate s F^-1 g, where F is the Fisher matrix, taken for one block a dense layer, and each block for a Kronecker product A (x) G of the second
 * moments of the layer's inputs and of the gradients at its outputs (Martens & Grosse, "Optimizing Neural Networks with Kronecker-factored Approximate Curvature",
 * 2015). Tensors of no dense layer take a step of plain gradient descent.
 *
 * The factors are decayed averages over the steps, with min(1 - 1/k, decay) for the past at step k (section 5); `damping` is shared out between the two (section 6.3).
 * s = min(1, sqrt(klMax / (learningRate^2 g'F^-1 g))) bounds how far the predictions move (Ba, Grosse & Martens, 2017, section 5).
 *
 * The model says its `outputs`: logits of classes, or with `numbers` predictions for the squared error. Targets are drawn from them, as the Fisher matrix wants.
 * Passes over the data: two a step, one for the gradient, one for the factors. State: the factors.
 */
export const kfac = stepMethod({
  source: 'Martens & Grosse, 2015',
  hyperparameters: {
    learningRate: positive(0.1),
    damping: positive(1e-2),
    decay: fraction(0.95),
    klMax: positive(1e-2),
    numbers: flag(false),
  },
  create(hyperparameters, layout) {
    const layers = layersOf(layout);
    return {
      state: [
        { name: 'factors', shape: [factorsLength(layers)], initial: 0 },
        { name: 'steps', shape: [], initial: 0 },
      ],
      step: (context) => step(context, layers, hyperparameters),
    };
  },
});

interface Hyperparameters {
  readonly learningRate: number;
  readonly damping: number;
  readonly decay: number;
  readonly klMax: number;
  readonly numbers: boolean;
}

async function step(
  context: StepContext,
  layers: readonly DenseLayer[],
  { learningRate, damping, decay, klMax, numbers }: Hyperparameters,
): Promise<number> {
  const { parameters } = context;
  const { loss, gradient } = await context.gradient(parameters);
  const factors = context.state('factors');
  const prediction = numbers ? 'numbers' : 'classes';
  const found = await context.kroneckerFactors(parameters, { prediction, length: factors.length });
  if (!Number.isFinite(loss) || !found.every(Number.isFinite)) return Number.NaN;

  const steps = context.state('steps');
  steps[0]++;
  const past = Math.min(1 - 1 / steps[0], decay);
  for (let index = 0; index < found.length; index++) {
    factors[index] = past * factors[index] + (1 - past) * found[index];
  }
  const direction = gradient.slice();
  let begin = 0;
  for (const layer of layers) {
    const [rows, columns] = [layer.inputs + 1, layer.outputs];
    const a = factors.subarray(begin, begin + rows ** 2);
    const g = factors.subarray(begin + rows ** 2, begin + rows ** 2 + columns ** 2);
    begin += rows ** 2 + columns ** 2;
    const natural = solveKronecker({ a, g, rows, columns }, joined(layer, gradient), damping);
    // Only rounding can make a damped second moment indefinite: this layer goes by its gradient.
    if (natural === undefined) continue;
    direction.set(natural.subarray(0, layer.w.length), layer.w.offset);
    direction.set(natural.subarray(layer.w.length), layer.b.offset);
  }
  const length = learningRate ** 2 * dot(gradient, direction);
  const scale = length > klMax ? Math.sqrt(klMax / length) : 1;
  for (let index = 0; index < parameters.length; index++) {
    parameters[index] -= learningRate * scale * direction[index];
  }
  return loss;
}

/** The gradient of weight and bias as one matrix [inputs + 1, outputs]. */
function joined({ w, b }: DenseLayer, gradient: Float64Array): Float64Array {
  const matrix = new Float64Array(w.length + b.length);
  matrix.set(gradient.subarray(w.offset, w.offset + w.length));
  matrix.set(gradient.subarray(b.offset, b.offset + b.length), w.length);
  return matrix;
}

function layersOf(layout: Layout): DenseLayer[] {
  const layers = denseLayers(layout);
  if (layers.length === 0) {
    throw new TributaryError('INVALID_ARGUMENT', 'kfac finds no dense layer in the model', {
      hint: 'It works on weights "w" [inputs, outputs] with a bias "b" [outputs] beside them, used by dense({ w, b }, x).',
    });
  }
  const most = limits.hessianParametersMax;
  const large = layers.find(({ inputs, outputs }) => Math.max(inputs + 1, outputs) > most);
  if (large !== undefined) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `kfac would factorise matrices of ${Math.max(large.inputs + 1, large.outputs)} rows for "${large.name}"`,
      { hint: `At most ${most} are possible. Use lbfgs(), newtonCg() or a first-order method.` },
    );
  }
  return layers;
}
