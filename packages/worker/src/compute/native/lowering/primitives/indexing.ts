import { cast, materialised } from '../arrange.ts';
import type { GraphBuilder } from '../GraphBuilder.ts';
import { type Rule, rule, unsupported } from '../Rule.ts';
import { broadcastTo, contiguous, type Tensor, transposed, type View } from '../View.ts';

/** `x` indexed along `axis` by index arrays that broadcast against each other; their axes go to `outDim` of the result, x's others around them. */
const gather = rule(
  'axis outDim uniqueIndices',
  (graph, [x, ...indices], { parameters: { axis, outDim } }) => {
    if (indices.length === 1) {
      const [index] = indices;
      const table = materialised(graph, x);
      const shape = [...table.shape.slice(0, axis[0]), ...index.shape, ...table.shape.slice(axis[0] + 1)];
      const positions = materialised(graph, index.type === 'uint32' ? cast(graph, index, 'int64') : index);
      const found = contiguous(
        graph.emit('Gather', [table, positions], shape, table.type, { axis: axis[0] }),
      );
      return moveAxes(found, axis[0], index.shape.length, outDim);
    }
    const others = x.axes.flatMap((_, position) => (axis.includes(position) ? [] : [position]));
    const table = materialised(graph, transposed(x, [...axis, ...others]));
    const { tuples, shape: indexShape } = stacked(graph, indices);
    const shape = [...indexShape, ...others.map((position) => x.shape[position])];
    const found = contiguous(graph.emit('GatherND', [table, tuples], shape, table.type));
    return moveAxes(found, 0, indexShape.length, outDim);
  },
);

/** Zeros of `shape`, with `updates` put or added at the places that gather with the same parameters would read. */
const scatter = rule(
  'op shape axis outDim uniqueIndices',
  (graph, [updates, ...indices], { type, parameters }) => {
    const { op, axis, outDim } = parameters;
    const shape: readonly number[] = parameters.shape;
    if (op !== 'add' && op !== 'update') throw unsupported('scatter', ` with op "${op}"`);
    const { tuples, shape: indexShape } = stacked(graph, indices);
    const others = shape.flatMap((_, position) => (axis.includes(position) ? [] : [position]));
    const scatteredOrder = [...axis, ...others];
    const scatteredShape = scatteredOrder.map((position) => shape[position]);
    const rows = materialised(graph, moveAxes(updates, outDim, indexShape.length, 0));
    const zeros = graph.emit(
      'Expand',
      [graph.scalar(0, type), graph.integers(scatteredShape)],
      scatteredShape,
      type,
    );
    const reduction = op === 'add' ? 'add' : 'none';
    const filled = graph.emit('ScatterND', [zeros, tuples, rows], scatteredShape, type, { reduction });
    return transposed(
      contiguous(filled),
      shape.map((_, position) => scatteredOrder.indexOf(position)),
    );
  },
);

/** The view with `count` axes moved from `from` to `to`, counted among the others. */
function moveAxes(view: View, from: number, count: number, to: number): View {
  const axes = view.axes.map((_, axis) => axis);
  const moved = axes.splice(from, count);
  axes.splice(to, 0, ...moved);
  return transposed(view, axes);
}

/** Index arrays as one array of tuples, which is how ONNX takes them: the broadcast shape, then one axis over the arrays. */
function stacked(graph: GraphBuilder, indices: readonly View[]): { tuples: Tensor; shape: number[] } {
  const rank = Math.max(...indices.map((index) => index.axes.length));
  const shape = Array.from({ length: rank }, (_, axis) =>
    Math.max(...indices.map((index) => index.shape[axis - rank + index.axes.length] ?? 1)),
  );
  const columns = indices.map((index) => {
    const whole = materialised(graph, broadcastTo(cast(graph, index, 'int64'), shape));
    return graph.reshape(whole, [...shape, 1]);
  });
  if (columns.length === 1) return { tuples: columns[0], shape };
  return {
    tuples: graph.emit('Concat', columns, [...shape, columns.length], 'int64', { axis: rank }),
    shape,
  };
}

export const indexingRules: Record<string, Rule> = { gather, scatter };
