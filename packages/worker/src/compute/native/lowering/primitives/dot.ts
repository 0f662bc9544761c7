import { arranged, isInOrder } from '../arrange.ts';
import { alignOperands, elementwise } from '../elementwise.ts';
import type { GraphBuilder } from '../GraphBuilder.ts';
import { type Rule, rule } from '../Rule.ts';
import { type Atom, contiguous, newAtom, sizeOf, type Tensor, View } from '../View.ts';
import { reduceAtoms, sumAxes } from './reduce.ts';

/*
 * jax-js writes every product - matmul, einsum, attention, and all of their gradients - as `dot`: multiply with broadcasting, sum the last axis.
 * Done literally, [128, 784] times [784, 256] would form 25 million products in memory. But the views say which digits each operand really has:
 *
 *   contraction   in the last axis, in both     -> the K of a matrix product
 *   batch         elsewhere, in both            -> one product for each
 *   rows          elsewhere, only in the left   -> M
 *   columns       elsewhere, only in the right  -> N
 *
 * A last-axis digit of one operand alone is summed there first; one of neither is a factor. Then it is a Gemm or a batched matrix product, and
 * since both read an operand in either order, an operand is copied only if its digits lie neither as [batch, M, K] nor as [batch, K, M].
 */
const dot = rule('', (graph, operands, { type }) => {
  const [a, b] = alignOperands(graph, operands);
  const last = a.axes.length - 1;
  const roles = classify(a, b);
  const summedA = reduceAtoms(graph, a, roles.onlyLeft, 'ReduceSum');
  const summedB = reduceAtoms(graph, b, roles.onlyRight, 'ReduceSum');
  const [m, n, k] = [
    sizeOf(roles.rows),
    sizeOf(roles.columns),
    sizeOf(roles.contraction.map(([atom]) => atom)),
  ];
  if (k === 1 || (m === 1 && n === 1)) {
    const products = multiply(graph, summedA, summedB, roles);
    return scaled(graph, sumAxes(graph, products, [last]), roles.factor);
  }
  const { tensor, renamed } = matrixProduct(graph, summedA, summedB, roles, type);
  // The result's axes are the operands' but the last, digit by digit.
  const axes = a.axes.slice(0, -1).map((_, axis) =>
    digitsOf(a, b, axis).map(({ left, right, size }) => {
      const atom = left ?? right;
      return atom === undefined ? newAtom(size, true) : renamed.get(atom)!;
    }),
  );
  return scaled(graph, new View(tensor, [...renamed.values()], axes), roles.factor);
});

/** A pair of atoms, of the left and of the right operand, that are the same digit. */
type Pair = readonly [left: Atom, right: Atom];

interface Roles {
  readonly contraction: readonly Pair[];
  readonly batch: readonly Pair[];
  readonly rows: readonly Atom[];
  readonly columns: readonly Atom[];
  /** Summed away in one operand before the product. */
  readonly onlyLeft: readonly Atom[];
  readonly onlyRight: readonly Atom[];
  /** How many equal products a sum has that neither operand varies along. */
  readonly factor: number;
}

/** The digits of one axis, as pairs of which a side is undefined where the operand has no such digit in its tensor. */
function digitsOf(
  a: View,
  b: View,
  axis: number,
): { left: Atom | undefined; right: Atom | undefined; size: number }[] {
  const length = Math.max(a.axes[axis].length, b.axes[axis].length);
  return Array.from({ length }, (_, position) => {
    const [x, y] = [a.axes[axis][position] as Atom | undefined, b.axes[axis][position] as Atom | undefined];
    return { left: x?.repeated ? undefined : x, right: y?.repeated ? undefined : y, size: (x ?? y)!.size };
  });
}

function classify(a: View, b: View): Roles {
  const contraction: Pair[] = [];
  const batch: Pair[] = [];
  const [rows, columns, onlyLeft, onlyRight]: Atom[][] = [[], [], [], []];
  let factor = 1;
  const last = a.axes.length - 1;
  for (let axis = 0; axis <= last; axis++) {
    for (const { left, right, size } of digitsOf(a, b, axis)) {
      const summed = axis === last;
      if (left && right) (summed ? contraction : batch).push([left, right]);
      else if (left) (summed ? onlyLeft : rows).push(left);
      else if (right) (summed ? onlyRight : columns).push(right);
      else if (summed) factor *= size;
    }
  }
  return { contraction, batch, rows, columns, onlyLeft, onlyRight, factor };
}

/** The products themselves, where there is nothing to gain from a matrix product: an outer product, or a dot product for each batch. */
function multiply(graph: GraphBuilder, a: View, b: View, { contraction }: Roles): View {
  const withLast = (view: View, side: 0 | 1) =>
    view.withAxes([...view.axes.slice(0, -1), contraction.map((pair) => pair[side])]);
  return elementwise(graph, [withLast(a, 0), withLast(b, 1)], (tensors, shape) =>
    graph.emit('Mul', tensors, shape, a.type),
  );
}

/** Both operands' digits in the order in which the product numbers them, and the result over new atoms: `renamed` of the left's, then the right's. */
function matrixProduct(
  graph: GraphBuilder,
  a: View,
  b: View,
  roles: Roles,
  type: View['type'],
): { tensor: Tensor; renamed: Map<Atom, Atom> } {
  // The order in which batch and contraction digits are numbered is free, if it is the same on both sides: the larger operand decides.
  const side = sizeOf(a.storage) >= sizeOf(b.storage) ? 0 : 1;
  const place = (pair: Pair) => (side === 0 ? a : b).storage.indexOf(pair[side]);
  const inStorage = (pairs: readonly Pair[]) => pairs.toSorted((x, y) => place(x) - place(y));
  const batch = inStorage(roles.batch);
  const contraction = inStorage(roles.contraction);
  const rows = a.storage.filter((atom) => roles.rows.includes(atom));
  const columns = b.storage.filter((atom) => roles.columns.includes(atom));
  const leftBatch = batch.map(([atom]) => atom);

  const left = matrixOperand(graph, a, [leftBatch, rows, contraction.map(([atom]) => atom)], false);
  const rightAxes = [batch.map(([, atom]) => atom), columns, contraction.map(([, atom]) => atom)];
  const right = matrixOperand(graph, b, rightAxes, true);
  const tensor = emitProduct(graph, left, right, [leftBatch, rows, columns].map(sizeOf), type);
  return {
    tensor,
    renamed: new Map([...leftBatch, ...rows, ...columns].map((atom) => [atom, newAtom(atom.size)])),
  };
}

interface MatrixOperand {
  readonly tensor: Tensor;
  /** [batch, K, free] instead of [batch, free, K]. */
  readonly contractionFirst: boolean;
}

/**
 * A vector lies in both orders; `plainOrder` says which is the untransposed one, for which onnxruntime has a faster kernel. An operand that lies in
 * neither has to be rearranged, and that is several times faster if the last atom stays the last.
 */
function matrixOperand(
  graph: GraphBuilder,
  view: View,
  [batch, free, contraction]: readonly Atom[][],
  plainOrder: boolean,
): MatrixOperand {
  const [count, size, k] = [batch, free, contraction].map(sizeOf);
  const last = isInOrder(view.withAxes([batch, free, contraction]));
  const first = isInOrder(view.withAxes([batch, contraction, free]));
  const contractionFirst =
    size === 1 ? plainOrder : last === first ? free.includes(view.storage.at(-1)!) : first;
  const axes = contractionFirst ? [batch, contraction, free] : [batch, free, contraction];
  const shape = contractionFirst ? [k, size] : [size, k];
  return {
    tensor: arranged(graph, view.withAxes(axes), count === 1 ? shape : [count, ...shape]),
    contractionFirst,
  };
}

function emitProduct(
  graph: GraphBuilder,
  left: MatrixOperand,
  right: MatrixOperand,
  [count, m, n]: readonly number[],
  type: View['type'],
): Tensor {
  const transA = left.contractionFirst ? 1 : 0;
  const transB = right.contractionFirst ? 0 : 1;
  const shape = count === 1 ? [m, n] : [count, m, n];
  if (!type.startsWith('float')) {
    // Whole numbers have only the plain product.
    const [a, b] = [swapLast(graph, left.tensor, transA === 1), swapLast(graph, right.tensor, transB === 1)];
    return graph.emit('MatMul', [a, b], shape, type);
  }
  const attributes = { transA, transB, alpha: { float: 1 } };
  if (count === 1) return graph.emit('Gemm', [left.tensor, right.tensor], shape, type, attributes);
  return graph.emit('FusedMatMul', [left.tensor, right.tensor], shape, type, attributes, 'com.microsoft');
}

function swapLast(graph: GraphBuilder, tensor: Tensor, swap: boolean): Tensor {
  if (!swap) return tensor;
  const shape = [...tensor.shape.slice(0, -2), tensor.shape.at(-1)!, tensor.shape.at(-2)!];
  const axes = shape.map((_, axis) => axis);
  return graph.emit('Transpose', [tensor], shape, tensor.type, {
    perm: [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!],
  });
}

function scaled(graph: GraphBuilder, view: View, factor: number): View {
  if (factor === 1) return view;
  return elementwise(graph, [view, contiguous(graph.scalar(factor, view.type))], (tensors, shape) =>
    graph.emit('Mul', tensors, shape, view.type),
  );
}

export const dotRules: Record<string, Rule> = { dot };
