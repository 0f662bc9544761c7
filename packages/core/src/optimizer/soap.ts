import { eigenvectors, followEigenvectors } from './matrix/eigenvectors.ts';
import { type Matrix, matrix, matrixSides, transposed } from './matrix/Matrix.ts';
import { gram, multiply } from './matrix/multiply.ts';
import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive, wholeNumber } from './options.ts';

/**
 * SOAP, Shampoo with Adam in its eigenbasis: L <- s L + (1 - s) G G', R <- s R + (1 - s) G' G, and of both the eigenvectors QL, QR, found anew every `basisEverySteps`
 * by one power iteration. In that basis G and M are QL' G QR and QL' M QR; V <- beta2 V + (1 - beta2) (QL' G QR)^2; N is the step of Adam from these;
 * W <- (1 - lr weightDecay) W - lr QL N QR'. The first update only finds the basis. A side longer than `sideMax` keeps its own basis; what is no matrix is updated by Adam.
 * Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", 2024, algorithm 3; Shampoo: Gupta, Koren & Singer, 2018.
 */
export const soap = method({
  source: 'Vyas et al., 2024',
  hyperparameters: {
    learningRate: positive(0.003),
    beta1: fraction(0.95),
    beta2: fraction(0.95),
    basisKeep: fraction(0.95),
    epsilon: positive(1e-8),
    weightDecay: nonNegative(0.01),
    basisEverySteps: wholeNumber(1, 10),
    sideMax: wholeNumber(1, 128),
  },
  bind({ beta1, beta2, basisKeep, epsilon, weightDecay, basisEverySteps, sideMax }) {
    const side = (of: 'rows' | 'columns') => (tensor: readonly number[]) => {
      const length = matrixSides(tensor)?.[of] ?? 0;
      return length <= sideMax ? [length, length] : [0, 0];
    };
    return {
      kernel: 'soap',
      wholeTensors: true,
      slots: [
        { name: 'm', initial: 0 },
        { name: 'v', initial: 0 },
        { name: 'left', initial: 0, shape: side('rows') },
        { name: 'leftBasis', initial: 0, shape: side('rows') },
        { name: 'right', initial: 0, shape: side('columns') },
        { name: 'rightBasis', initial: 0, shape: side('columns') },
      ],
      scalars: ({ count, learningRate }) => [learningRate, count],
      apply(out, parameters, gradient, [ms, vs, ...sideSlots], [rate, count], shape) {
        const sides = matrixSides(shape);
        const [rows, columns] = sides === undefined ? [1, gradient.length] : [sides.rows, sides.columns];
        const [left, leftBasis, right, rightBasis] = sideSlots;
        const g = matrix(rows, columns, gradient);
        // Without any basis there is nothing to find first.
        const finds = left.length + right.length > 0;
        const t = finds ? count - 1 : count;
        if (finds && t === 0) {
          average(left, leftBasis, g, 0);
          average(right, rightBasis, transposed(g), 0);
          begin(left, leftBasis);
          begin(right, rightBasis);
          out.set(parameters);
          return;
        }
        for (let i = 0; i < ms.length; i++) ms[i] = beta1 * ms[i] + (1 - beta1) * gradient[i];
        const [leftSide, rightSide] = [basisOf(leftBasis), basisOf(rightBasis)];
        const turnedG = turn(g, leftSide, rightSide).values;
        const turnedM = turn(matrix(rows, columns, ms), leftSide, rightSide).values;
        const [first, second] = [1 - beta1 ** t, 1 - beta2 ** t];
        const step = new Float64Array(turnedM.length);
        for (let i = 0; i < step.length; i++) {
          vs[i] = beta2 * vs[i] + (1 - beta2) * turnedG[i] ** 2;
          step[i] = turnedM[i] / first / (Math.sqrt(vs[i] / second) + epsilon);
        }
        const back = turn(
          { rows, columns, values: step },
          leftSide && transposed(leftSide),
          rightSide && transposed(rightSide),
        ).values;
        const shrink = 1 - rate * weightDecay;
        for (let i = 0; i < out.length; i++) out[i] = shrink * parameters[i] - rate * back[i];
        average(left, leftBasis, g, basisKeep);
        average(right, rightBasis, transposed(g), basisKeep);
        if (t % basisEverySteps === 0) {
          follow(left, leftBasis);
          follow(right, rightBasis);
        }
      },
    };
  },
});

/** average <- keep average + (1 - keep) g g'; with keep 0 the first of them, undamped. */
function average(values: Float32Array, basis: Float32Array, g: Matrix, keep: number): void {
  if (basis.length === 0) return;
  const product = gram(g).values;
  for (let i = 0; i < values.length; i++) values[i] = keep * values[i] + (1 - keep) * product[i];
}

function begin(values: Float32Array, basis: Float32Array): void {
  const size = Math.sqrt(values.length);
  if (size > 0) basis.set(eigenvectors(matrix(size, size, values)).values);
}

function follow(values: Float32Array, basis: Float32Array): void {
  const size = Math.sqrt(values.length);
  if (size > 0) basis.set(followEigenvectors(matrix(size, size, values), matrix(size, size, basis)).values);
}

function basisOf(values: Float32Array): Matrix | undefined {
  const size = Math.sqrt(values.length);
  return size > 0 ? matrix(size, size, values) : undefined;
}

/** left' a right; a side without a basis stays. */
function turn(a: Matrix, left: Matrix | undefined, right: Matrix | undefined): Matrix {
  const turned = left === undefined ? a : multiply(transposed(left), a);
  return right === undefined ? turned : multiply(turned, right);
}
