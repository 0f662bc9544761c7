import { materialised, reshaped } from '../arrange.ts';
import type { GraphBuilder } from '../GraphBuilder.ts';
import { type Rule, rule } from '../Rule.ts';
import { broadcastTo, contiguous, type Tensor, transposed, type View } from '../View.ts';
import { flip, pad, slice } from './shape.ts';

type Range = readonly [before: number, after: number];

/** Of the spatial axes. Padding is applied after the image is dilated (zeros put between its pixels), and may be negative: cropping. */
interface Geometry {
  readonly strides: readonly number[];
  readonly padding: readonly Range[];
  readonly imageDilation: readonly number[];
  readonly kernelDilation: readonly number[];
}

/** An image [examples, groups * channels, spatial...] and kernels [groups * outputs, channels, spatial...]. */
interface Convolution extends Geometry {
  readonly image: Tensor;
  readonly kernel: Tensor;
  readonly groups: number;
  /** [examples, groups * outputs, spatial...] */
  readonly shape: readonly number[];
}

/*
 * jax-js has one convolution for the forward pass and both gradients, told apart by their geometry. onnxruntime is fast at a small kernel over a
 * large image; the other two cases are turned into what it is fast at:
 *
 *   gradient of the image     the image is dilated by the stride         -> ConvTranspose, which never forms the zeros
 *   gradient of the kernel    the kernel is as large as the image, the
 *                             result as small as a kernel                -> one shifted copy of the image per result pixel, one matrix product
 */
const conv = rule(
  'vmapDims strides padding lhsDilation rhsDilation',
  (graph, [lhs, rhs], { shape, parameters }) => {
    const mapped: number = parameters.vmapDims;
    const geometry: Geometry = {
      strides: parameters.strides,
      padding: parameters.padding,
      imageDilation: parameters.lhsDilation,
      kernelDilation: parameters.rhsDilation,
    };
    if (mapped === 0) {
      const [image, kernel] = [lhs, rhs].map((view) => materialised(graph, view));
      return contiguous(convolve(graph, { ...geometry, image, kernel, groups: 1, shape }));
    }
    return mappedConvolution(graph, lhs, rhs, mapped, geometry, shape);
  },
);

/** A convolution for each index of the leading axes: one with as many groups. */
function mappedConvolution(
  graph: GraphBuilder,
  lhs: View,
  rhs: View,
  mapped: number,
  geometry: Geometry,
  shape: readonly number[],
): View {
  const groups = shape.slice(0, mapped).reduce((product, size) => product * size, 1);
  const grouped = (view: View) => {
    const rest = view.shape.slice(mapped);
    return reshaped(graph, broadcastTo(view, [...shape.slice(0, mapped), ...rest]), [groups, ...rest]);
  };
  const swapFront = (rank: number) => [1, 0, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 2)];
  const rank = shape.length - mapped + 1;
  const [, examples, channels, ...imageSize] = grouped(lhs).shape;
  const [, outputs, , ...kernelSize] = grouped(rhs).shape;
  const [, , ...resultSize] = shape.slice(mapped);
  const image = reshaped(graph, transposed(grouped(lhs), swapFront(rank)), [
    examples,
    groups * channels,
    ...imageSize,
  ]);
  const kernel = reshaped(graph, grouped(rhs), [groups * outputs, channels, ...kernelSize]);
  const result = convolve(graph, {
    ...geometry,
    image: materialised(graph, image),
    kernel: materialised(graph, kernel),
    groups,
    shape: [examples, groups * outputs, ...resultSize],
  });
  const byGroup = transposed(contiguous(result, [examples, groups, outputs, ...resultSize]), swapFront(rank));
  return reshaped(graph, byGroup, shape);
}

function convolve(graph: GraphBuilder, convolution: Convolution): Tensor {
  const { image, kernel, shape } = convolution;
  if (shape.length === 2) return withoutSpace(graph, convolution);
  if (isKernelGradient(convolution)) return byShiftedCopies(graph, convolution);
  const transposedPadding = transposedConvolutionPadding(convolution);
  if (transposedPadding !== undefined) return byTransposedConvolution(graph, convolution, transposedPadding);

  const dilated = dilate(graph, image, convolution.imageDilation);
  const cropped = crop(graph, dilated, convolution.padding);
  return graph.emit('Conv', [cropped, kernel], shape, image.type, {
    strides: convolution.strides,
    dilations: convolution.kernelDilation,
    group: convolution.groups,
    kernel_shape: kernel.shape.slice(2),
    pads: onnxPads(
      convolution.padding.map(([before, after]): Range => [Math.max(0, before), Math.max(0, after)]),
    ),
  });
}

/** No spatial axes: ONNX wants at least one. */
function withoutSpace(graph: GraphBuilder, { image, kernel, groups, shape }: Convolution): Tensor {
  const [withAxis, kernelWithAxis] = [image, kernel].map((tensor) =>
    graph.reshape(tensor, [...tensor.shape, 1]),
  );
  const attributes = { group: groups, kernel_shape: [1] };
  return graph.reshape(
    graph.emit('Conv', [withAxis, kernelWithAxis], [...shape, 1], image.type, attributes),
    shape,
  );
}

/** A result of more pixels than an 11 by 11 kernel is some other convolution, for which the copies would cost more than they save. */
const kernelPixelsMax = 121;

function isKernelGradient({ kernel, groups, shape, imageDilation }: Convolution): boolean {
  const resultPixels = pixels(shape);
  return (
    groups === 1 &&
    shape.length === 4 &&
    imageDilation.every((dilation) => dilation === 1) &&
    resultPixels <= kernelPixelsMax &&
    pixels(kernel.shape) > resultPixels
  );
}

/** result[b, o, i, j] = sum over c, p, q of image[b, c, p * d + i * s, q * d + j * s] * kernel[o, c, p, q] */
function byShiftedCopies(graph: GraphBuilder, convolution: Convolution): Tensor {
  const { image, kernel, padding, strides, kernelDilation: dilation, shape } = convolution;
  const type = image.type;
  const [examples, outputs, rows, columns] = shape;
  const [, channels, height, width] = kernel.shape;
  const channelsFirst = [channels, examples, ...image.shape.slice(2)];
  const whole = graph.emit('Transpose', [image], channelsFirst, type, { perm: [1, 0, 2, 3] });
  const padded = crop(graph, padPositive(graph, whole, padding), padding);
  const copies: Tensor[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const starts = [row * strides[0], column * strides[1]];
      const ends = [starts[0] + (height - 1) * dilation[0] + 1, starts[1] + (width - 1) * dilation[1] + 1];
      copies.push(slice(graph, padded, [2, 3], starts, ends, dilation));
    }
  }
  const positions = copies.length * examples;
  const columnsMatrix = graph.emit('Concat', copies, [channels, positions, height, width], type, { axis: 1 });
  const kernelShape = [channels, outputs, height, width];
  const kernelMatrix = graph.emit('Transpose', [kernel], kernelShape, type, { perm: [1, 0, 2, 3] });
  const perChannel = graph.emit(
    'FusedMatMul',
    [
      graph.reshape(columnsMatrix, [channels, positions, height * width]),
      graph.reshape(kernelMatrix, [channels, outputs, height * width]),
    ],
    [channels, positions, outputs],
    type,
    { transA: 0, transB: 1, alpha: { float: 1 } },
    'com.microsoft',
  );
  const sum = graph.emit('ReduceSum', [perChannel, graph.integers([0])], [positions, outputs], type, {
    keepdims: 0,
  });
  return materialised(graph, transposed(contiguous(sum, [rows, columns, examples, outputs]), [2, 3, 0, 1]));
}

/**
 * The padding that makes ConvTranspose compute this convolution, or undefined if none does. A transposed convolution with stride d dilates its
 * input by d and pads it by (kernel - 1 - its own padding); what it lacks at the end is "output padding", which must be less than d.
 */
function transposedConvolutionPadding(convolution: Convolution): Range[] | undefined {
  const { kernel, groups, padding, strides, imageDilation, kernelDilation } = convolution;
  const dilated = imageDilation.some((dilation) => dilation > 1);
  if (!dilated || groups !== 1 || strides.some((stride) => stride !== 1)) return undefined;
  const result = padding.map(([before, after], axis): Range => {
    const reach = (kernel.shape[axis + 2] - 1) * kernelDilation[axis];
    return [reach - before, reach - after];
  });
  const possible = result.every(([before, after], axis) => before >= 0 && after > -imageDilation[axis]);
  return possible ? result : undefined;
}

function byTransposedConvolution(
  graph: GraphBuilder,
  convolution: Convolution,
  padding: readonly Range[],
): Tensor {
  const { image, kernel, shape } = convolution;
  const spatial = padding.map((_, axis) => axis + 2);
  const [outputs, channels, ...size] = kernel.shape;
  const flipped = flip(graph, kernel, spatial);
  const turned = graph.emit('Transpose', [flipped], [channels, outputs, ...size], kernel.type, {
    perm: [1, 0, ...spatial],
  });
  return graph.emit('ConvTranspose', [image, turned], shape, image.type, {
    strides: convolution.imageDilation,
    dilations: convolution.kernelDilation,
    kernel_shape: size,
    pads: onnxPads(padding.map(([before, after]): Range => [before, Math.max(0, after)])),
    output_padding: padding.map(([, after]) => Math.max(0, -after)),
  });
}

/** Zeros between neighbours along the trailing axes. */
export function dilate(graph: GraphBuilder, tensor: Tensor, dilations: readonly number[]): Tensor {
  if (dilations.every((dilation) => dilation === 1)) return tensor;
  const front = tensor.shape.slice(0, -dilations.length);
  const sizes = tensor.shape.slice(-dilations.length);
  const separated = graph.reshape(tensor, [...front, ...sizes.flatMap((size) => [size, 1])]);
  const none: Range = [0, 0];
  const padded = pad(graph, separated, [
    ...front.map(() => none),
    ...dilations.flatMap((dilation): Range[] => [none, [0, dilation - 1]]),
  ]);
  const joined = graph.reshape(padded, [...front, ...sizes.map((size, axis) => size * dilations[axis])]);
  const axes = sizes.map((_, axis) => front.length + axis);
  const ends = sizes.map((size, axis) => (size - 1) * dilations[axis] + 1);
  return slice(
    graph,
    joined,
    axes,
    axes.map(() => 0),
    ends,
  );
}

/** Cuts off what negative padding takes away. */
function crop(graph: GraphBuilder, image: Tensor, padding: readonly Range[]): Tensor {
  const axes = padding.flatMap(([before, after], axis) => (before < 0 || after < 0 ? [axis + 2] : []));
  return slice(
    graph,
    image,
    axes,
    axes.map((axis) => Math.max(0, -padding[axis - 2][0])),
    axes.map((axis) => image.shape[axis] - Math.max(0, -padding[axis - 2][1])),
  );
}

function padPositive(graph: GraphBuilder, image: Tensor, padding: readonly Range[]): Tensor {
  const widths = padding.map(([before, after]): Range => [Math.max(0, before), Math.max(0, after)]);
  return pad(graph, image, [[0, 0], [0, 0], ...widths]);
}

function onnxPads(padding: readonly Range[]): number[] {
  return [...padding.map(([before]) => before), ...padding.map(([, after]) => after)];
}

function pixels(shape: readonly number[]): number {
  return shape.slice(2).reduce((product, size) => product * size, 1);
}

export const convRules: Record<string, Rule> = { conv };
