import { materialised, reshaped } from '../arrange.ts';
import type { GraphBuilder } from '../GraphBuilder.ts';
import { type Rule, rule } from '../Rule.ts';
import { broadcast, contiguous, type Tensor, transposed } from '../View.ts';

type Range = readonly [start: number, end: number];

/** Every `steps[i]`-th element from `starts[i]` up to `ends[i]` along `axes[i]`; a negative step goes backwards. */
export function slice(
  graph: GraphBuilder,
  tensor: Tensor,
  axes: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  steps: readonly number[] = axes.map(() => 1),
): Tensor {
  if (axes.length === 0) return tensor;
  const shape = [...tensor.shape];
  axes.forEach((axis, index) => {
    shape[axis] = Math.ceil((ends[index] - starts[index]) / steps[index]);
  });
  // Going backwards to the very first element, the end lies before it; ONNX would read -1 as the last element.
  const onnxEnds = ends.map((end, index) => (end < 0 ? -tensor.shape[axes[index]] - 1 : end));
  const operands = [starts, onnxEnds, axes, steps].map((values) => graph.integers(values));
  return graph.emit('Slice', [tensor, ...operands], shape, tensor.type);
}

/** Zeros before and after, per axis. */
export function pad(graph: GraphBuilder, tensor: Tensor, widths: readonly Range[]): Tensor {
  if (widths.every(([before, after]) => before === 0 && after === 0)) return tensor;
  const shape = tensor.shape.map((size, axis) => size + widths[axis][0] + widths[axis][1]);
  const amounts = graph.integers([...widths.map(([before]) => before), ...widths.map(([, after]) => after)]);
  return graph.emit('Pad', [tensor, amounts], shape, tensor.type);
}

export function flip(graph: GraphBuilder, tensor: Tensor, axes: readonly number[]): Tensor {
  const starts = axes.map((axis) => tensor.shape[axis] - 1);
  return slice(
    graph,
    tensor,
    axes,
    starts,
    axes.map(() => -1),
    axes.map(() => -1),
  );
}

const concatenate = rule('axis', (graph, operands, { shape, type, parameters: { axis } }) => {
  const tensors = operands.map((view) => materialised(graph, view));
  return contiguous(graph.emit('Concat', tensors, shape, type, { axis }));
});

const split = rule('axis sizes', (graph, [x], { parameters: { axis, sizes } }) => {
  const tensor = materialised(graph, x);
  let start = 0;
  return (sizes as number[]).map((size) => {
    const part = slice(graph, tensor, [axis], [start], [start + size]);
    start += size;
    return contiguous(part);
  });
});

const shrink = rule('slice', (graph, [x], { parameters }) => {
  const tensor = materialised(graph, x);
  const ranges: readonly Range[] = parameters.slice;
  const axes = ranges.flatMap(([start, end], axis) =>
    start === 0 && end === tensor.shape[axis] ? [] : [axis],
  );
  return contiguous(
    slice(
      graph,
      tensor,
      axes,
      axes.map((axis) => ranges[axis][0]),
      axes.map((axis) => ranges[axis][1]),
    ),
  );
});

export const shapeRules: Record<string, Rule> = {
  transpose: rule('perm', (_, [x], { parameters: { perm } }) => transposed(x, perm)),
  broadcast: rule('shape axis', (_, [x], { parameters: { shape, axis } }) => broadcast(x, shape, axis)),
  reshape: rule('shape', (graph, [x], { parameters: { shape } }) => reshaped(graph, x, shape)),
  flip: rule('axis', (graph, [x], { parameters: { axis } }) =>
    contiguous(flip(graph, materialised(graph, x), axis)),
  ),
  pad: rule('width', (graph, [x], { parameters: { width } }) =>
    contiguous(pad(graph, materialised(graph, x), width)),
  ),
  concatenate,
  split,
  shrink,
};
