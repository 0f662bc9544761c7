import { matrixSides } from './matrix/Matrix.ts';
import { norm } from './norm.ts';
import { method } from './Optimizer.ts';
import { nonNegative, positive } from './options.ts';

/** The paper's numbers: epsilon1 under the squares, epsilon2 the least size of a tensor, d the largest root mean square of an update. */
const squareLeast = 1e-30;
const sizeLeast = 1e-3;
const updateMax = 1;

/**
 * Adafactor: of the second moments of a matrix only the sums over rows r and columns c are kept, V = r c' / sum(r); of other tensors V itself.
 * r <- b r + (1 - b) sum over columns of (G^2 + 1e-30), c alike, b = 1 - t^-decay; U = G / sqrt(V), divided by max(1, RMS(U));
 * W <- (1 - lr weightDecay) W - max(1e-3, RMS(W)) min(lr, 1 / sqrt(t)) U.
 * Shazeer & Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018, algorithms 4 and 5; the decay as in PyTorch.
 */
export const adafactor = method({
  source: 'Shazeer & Stern, 2018',
  hyperparameters: { learningRate: positive(0.01), decay: positive(0.8), weightDecay: nonNegative(0) },
  bind: ({ decay, weightDecay }) => ({
    kernel: 'adafactor',
    wholeTensors: true,
    slots: [
      { name: 'rows', initial: 0, shape: (tensor) => [matrixSides(tensor)?.rows ?? 0] },
      { name: 'columns', initial: 0, shape: (tensor) => [matrixSides(tensor)?.columns ?? 0] },
      { name: 'v', initial: 0, shape: (tensor) => (matrixSides(tensor) === undefined ? tensor : [0]) },
    ],
    scalars: ({ count, learningRate }) => [
      Math.min(learningRate, 1 / Math.sqrt(count)),
      1 - count ** -decay,
      1 - learningRate * weightDecay,
    ],
    apply(out, parameters, gradient, [rows, columns, squares], [rate, keep, shrink], shape) {
      const sides = matrixSides(shape);
      const update =
        sides === undefined
          ? whole(gradient, squares, keep)
          : factored(gradient, rows, columns, keep, sides.columns);
      const size = Math.max(sizeLeast, rootMeanSquare(parameters));
      const step = (rate * size) / Math.max(1, rootMeanSquare(update) / updateMax);
      for (let i = 0; i < out.length; i++) out[i] = shrink * parameters[i] - step * update[i];
    },
  }),
});

function whole(gradient: Float32Array, squares: Float32Array, keep: number): Float64Array {
  return Float64Array.from(gradient, (g, i) => {
    squares[i] = keep * squares[i] + (1 - keep) * (g * g + squareLeast);
    return g / Math.sqrt(squares[i]);
  });
}

function factored(
  gradient: Float32Array,
  rows: Float32Array,
  columns: Float32Array,
  keep: number,
  width: number,
): Float64Array {
  const columnSums = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) {
    let sum = 0;
    for (let j = 0; j < width; j++) {
      const square = gradient[i * width + j] ** 2 + squareLeast;
      sum += square;
      columnSums[j] += square;
    }
    rows[i] = keep * rows[i] + (1 - keep) * sum;
  }
  for (let j = 0; j < width; j++) columns[j] = keep * columns[j] + (1 - keep) * columnSums[j];
  let total = 0;
  for (const row of rows) total += row;
  const columnRoots = Float64Array.from(columns, (column) => Math.sqrt(column / total));
  const update = new Float64Array(gradient.length);
  for (let i = 0; i < rows.length; i++) {
    const root = Math.sqrt(rows[i]);
    for (let j = 0; j < width; j++) update[i * width + j] = gradient[i * width + j] / (root * columnRoots[j]);
  }
  return update;
}

function rootMeanSquare(values: ArrayLike<number>): number {
  return norm(values) / Math.sqrt(values.length);
}
