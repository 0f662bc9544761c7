import { cast } from '../arrange.ts';
import { elementwise } from '../elementwise.ts';
import type { GraphBuilder } from '../GraphBuilder.ts';
import { type Rule, rule, unsupported } from '../Rule.ts';
import { type Atom, contiguous, View } from '../View.ts';
import { asSigned, asUnsigned } from './elementwise.ts';

const operations: Record<string, string> = {
  Add: 'ReduceSum',
  Mul: 'ReduceProd',
  Min: 'ReduceMin',
  Max: 'ReduceMax',
};

/** Reduces over atoms of the tensor, wherever they lie in it; the view's other atoms stay as they are. */
export function reduceAtoms(graph: GraphBuilder, view: View, atoms: readonly Atom[], op: string): View {
  if (atoms.length === 0) return view;
  // Neighbouring atoms that share a fate become one axis: onnxruntime is fast for few axes.
  const axes: { reduced: boolean; size: number }[] = [];
  for (const atom of view.storage) {
    const reduced = atoms.includes(atom);
    const last = axes.at(-1);
    if (last?.reduced === reduced) last.size *= atom.size;
    else axes.push({ reduced, size: atom.size });
  }
  const source = graph.reshape(
    view.tensor,
    axes.map(({ size }) => size),
  );
  const kept = axes.filter(({ reduced }) => !reduced).map(({ size }) => size);
  const reducedAxes = axes.flatMap(({ reduced }, axis) => (reduced ? [axis] : []));
  const result = graph.emit(op, [source, graph.integers(reducedAxes)], kept, view.type, { keepdims: 0 });
  const left = (from: readonly Atom[]) => from.filter((atom) => !atoms.includes(atom));
  return new View(result, left(view.storage), view.axes.map(left));
}

/** Sums over whole axes, which disappear. What is repeated along them is multiplied instead. */
export function sumAxes(graph: GraphBuilder, view: View, axes: readonly number[]): View {
  return reduceAxes(graph, view, axes, 'Add');
}

function reduceAxes(graph: GraphBuilder, view: View, axes: readonly number[], op: string): View {
  const gone = axes.flatMap((axis) => view.axes[axis]);
  const repetitions = gone.filter((atom) => atom.repeated).reduce((product, atom) => product * atom.size, 1);
  const inTensor = gone.filter((atom) => !atom.repeated);
  const reduced = reduceAtoms(graph, view, inTensor, operations[op]);
  const result = reduced.withAxes(reduced.axes.filter((_, axis) => !axes.includes(axis)));
  if (repetitions === 1 || op === 'Min' || op === 'Max') return result;
  const count = contiguous(graph.scalar(repetitions, view.type));
  return elementwise(graph, [result, count], (tensors, shape) =>
    graph.emit(op === 'Add' ? 'Mul' : 'Pow', tensors, shape, view.type),
  );
}

const reduce = rule('op axis', (graph, [x], { type, parameters: { op, axis } }) => {
  if (operations[op] === undefined) throw unsupported('reduce', ` with op "${op}"`);
  if (type === 'bool') {
    // Adding truth values is `or`, the largest; multiplying is `and`, the smallest.
    const boolOp = op === 'Add' ? 'Max' : op === 'Mul' ? 'Min' : op;
    return cast(graph, reduceAxes(graph, cast(graph, x, 'int32'), axis, boolOp), 'bool');
  }
  const ordered = op === 'Min' || op === 'Max';
  if (type === 'uint32' && ordered) return asUnsigned(graph, reduceAxes(graph, asSigned(graph, x), axis, op));
  if (!type.startsWith('float') && !ordered) {
    // Whole numbers wrap around; onnxruntime's 32-bit sums and products stop at the largest number instead.
    return cast(graph, reduceAxes(graph, cast(graph, x, 'int64'), axis, op), type);
  }
  return reduceAxes(graph, x, axis, op);
});

export const reduceRules: Record<string, Rule> = { reduce };
