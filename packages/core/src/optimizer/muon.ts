import { adamw } from './adamw.ts';
import { matrix, matrixSides } from './matrix/Matrix.ts';
import { orthogonalise } from './matrix/orthogonalise.ts';
import { method } from './Optimizer.ts';
import { flag, fraction, nonNegative, positive, wholeNumber } from './options.ts';

/**
 * Muon: B <- momentum B + G; O the orthogonal matrix nearest to G + momentum B (without `nesterov`, to B), all of whose directions are equally long;
 * W <- (1 - lr weightDecay) W - 0.2 lr sqrt(max(rows, columns)) O. What is no matrix is updated by AdamW with the same rate.
 * Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; the size of the step, by which the rate of AdamW fits both, and the weight
 * decay: Liu et al., "Muon is Scalable for LLM Training", 2025. A kernel of a convolution counts as its first dimension by the others.
 */
export const muon = method({
  source: 'Jordan et al., 2024; Liu et al., 2025',
  hyperparameters: {
    learningRate: positive(0.001),
    momentum: fraction(0.95),
    nesterov: flag(true),
    iterations: wholeNumber(1, 5),
    beta1: fraction(0.9),
    beta2: fraction(0.999),
    epsilon: positive(1e-8),
    weightDecay: nonNegative(0.01),
  },
  bind(hyperparameters) {
    const { momentum, nesterov, iterations, weightDecay } = hyperparameters;
    const forTheRest = adamw.bind(hyperparameters);
    return {
      kernel: 'muon',
      wholeTensors: true,
      slots: [
        { name: 'momentum', initial: 0 },
        { name: 'v', initial: 0, shape: (tensor) => (matrixSides(tensor) === undefined ? tensor : [0]) },
      ],
      scalars: (step) => [...forTheRest.scalars(step), step.learningRate],
      apply(out, parameters, gradient, slots, scalars, shape) {
        const sides = matrixSides(shape);
        if (sides === undefined) {
          forTheRest.apply(out, parameters, gradient, slots, scalars, shape);
          return;
        }
        const [buffer] = slots;
        for (let i = 0; i < buffer.length; i++) buffer[i] = momentum * buffer[i] + gradient[i];
        const { rows, columns } = sides;
        const direction = matrix(rows, columns, buffer);
        if (nesterov) {
          const { values: along } = direction;
          for (let i = 0; i < along.length; i++) along[i] = gradient[i] + momentum * along[i];
        }
        const { values } = orthogonalise(direction, iterations);
        const rate = scalars[scalars.length - 1];
        const size = 0.2 * rate * Math.sqrt(Math.max(rows, columns));
        const shrink = 1 - rate * weightDecay;
        for (let i = 0; i < out.length; i++) out[i] = shrink * parameters[i] - size * values[i];
      },
    };
  },
});
