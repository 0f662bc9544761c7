import { materialised, reshaped } from '../arrange.ts';
import type { GraphBuilder } from '../GraphBuilder.ts';
import { type Rule, rule } from '../Rule.ts';
import { contiguous, type Tensor, transposed, type View } from '../View.ts';
import { dilate } from './conv.ts';
import { pad, slice } from './shape.ts';

/*
 * `pool` lays the windows of an array out as further axes, [front..., out..., window...], for a reduction to follow; `pool_transpose` adds them up again.
 * The windows are stored first, [window..., front..., out...]: what compares them with their maximum then broadcasts over leading axes only,
 * and reduces over a leading axis, which is several times faster than over trailing axes of two or three elements.
 */
const pool = rule('window strides', (graph, [x], { shape, parameters: { window, strides } }) => {
  const rank = window.length;
  const front = x.shape.slice(0, -rank);
  const out = shape.slice(front.length, -rank);
  const tensor = materialised(graph, x);
  if (isSpaceToDepth(front, window, strides)) {
    const [examples, channels] = front;
    const parts = offsets(window).map((offset) => windowElement(graph, tensor, offset, strides, out));
    const joined = graph.emit('Concat', parts, [examples, parts.length * channels, ...out], x.type, {
      axis: 1,
    });
    return transposed(contiguous(joined, [examples, ...window, channels, ...out]), [0, 3, 4, 5, 1, 2]);
  }
  const parts = offsets(window).map((offset) =>
    graph.reshape(windowElement(graph, tensor, offset, strides, out), [1, ...front, ...out]),
  );
  const joined = graph.emit('Concat', parts, [parts.length, ...front, ...out], x.type, { axis: 0 });
  const windowsFirst = contiguous(joined, [...window, ...front, ...out]);
  const rest = front.length + out.length;
  return transposed(windowsFirst, [...range(rank, rank + rest), ...range(0, rank)]);
});

const poolTranspose = rule('inShape window strides', (graph, [x], { shape, type, parameters }) => {
  const { window, strides } = parameters;
  const rank: number = window.length;
  const front = shape.slice(0, -rank);
  const size = shape.slice(-rank);
  const out = x.shape.slice(front.length, -rank);
  const covers = size.every((length, axis) => length === out[axis] * window[axis]);
  if (isSpaceToDepth(front, window, strides) && covers) {
    const [examples, channels] = front;
    const deep = materialised(graph, transposed(x, [0, 4, 5, 1, 2, 3]));
    const joined = graph.reshape(deep, [examples, window[0] * window[1] * channels, ...out]);
    return contiguous(
      graph.emit('DepthToSpace', [joined], shape, type, { blocksize: window[0], mode: 'DCR' }),
    );
  }
  const none: readonly [number, number] = [0, 0];
  if (window.every((length: number, axis: number) => length === strides[axis])) {
    return contiguous(
      pad(graph, joinedWindows(graph, x, front, out, window), [
        ...front.map(() => none),
        ...size.map((length, axis): [number, number] => [0, length - out[axis] * window[axis]]),
      ]),
    );
  }
  const rest = front.length + out.length;
  const windowsFirst = transposed(x, [...range(rest, rest + rank), ...range(0, rest)]);
  const stacked = materialised(
    graph,
    reshaped(graph, windowsFirst, [offsets(window).length, ...front, ...out]),
  );
  const terms = offsets(window).map((offset, index) => {
    const part = graph.reshape(slice(graph, stacked, [0], [index], [index + 1]), [...front, ...out]);
    return pad(graph, dilate(graph, part, strides), [
      ...front.map(() => none),
      ...offset.map((start, axis): [number, number] => [
        start,
        size[axis] - start - ((out[axis] - 1) * strides[axis] + 1),
      ]),
    ]);
  });
  return contiguous(terms.reduce((sum, term) => graph.emit('Add', [sum, term], shape, type)));
});

/** Images whose square windows tile them: ONNX has the inverse, DepthToSpace, as one operation. */
function isSpaceToDepth(
  front: readonly number[],
  window: readonly number[],
  strides: readonly number[],
): boolean {
  return (
    front.length === 2 &&
    window.length === 2 &&
    window[0] === window[1] &&
    window.every((size, axis) => size === strides[axis])
  );
}

/** Windows that do not overlap, side by side again. */
function joinedWindows(
  graph: GraphBuilder,
  x: View,
  front: readonly number[],
  out: readonly number[],
  window: readonly number[],
): Tensor {
  const interleaved = out.flatMap((_, axis) => [front.length + axis, front.length + out.length + axis]);
  const view = transposed(x, [...range(0, front.length), ...interleaved]);
  return materialised(
    graph,
    reshaped(graph, view, [...front, ...out.map((size, axis) => size * window[axis])]),
  );
}

/** The element at `offset` of every window. */
function windowElement(
  graph: GraphBuilder,
  tensor: Tensor,
  offset: readonly number[],
  strides: readonly number[],
  out: readonly number[],
): Tensor {
  const first = tensor.shape.length - offset.length;
  const ends = offset.map((start, axis) => start + (out[axis] - 1) * strides[axis] + 1);
  return slice(graph, tensor, range(first, tensor.shape.length), offset, ends, strides);
}

/** Every index of a window, row-major. */
function offsets(window: readonly number[]): number[][] {
  return window.reduce<number[][]>(
    (prefixes, size) => prefixes.flatMap((prefix) => range(0, size).map((index) => [...prefix, index])),
    [[]],
  );
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

export const poolRules: Record<string, Rule> = { pool, pool_transpose: poolTranspose };
