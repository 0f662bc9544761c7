import { arranged, materialised, reshaped } from '../arrange.ts';
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
  readonly image: View;
  readonly kernel: View;
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
      return contiguous(convolve(graph, { ...geometry, image: lhs, kernel: rhs, groups: 1, shape }));
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
    image,
    kernel,
    groups,
    shape: [examples, groups * outputs, ...resultSize],
  });
  const byGroup = transposed(contiguous(result, [examples, groups, outputs, ...resultSize]), swapFront(rank));
  return reshaped(graph, byGroup, shape);
}

function convolve(graph: GraphBuilder, convolution: Convolution): Tensor {
  const { kernel, shape } = convolution;
  if (shape.length === 2) return withoutSpace(graph, convolution);
  if (isKernelGradient(convolution)) return byShiftedCopies(graph, convolution);
  const transposedPadding = transposedConvolutionPadding(convolution);
  if (transposedPadding !== undefined) return byTransposedConvolution(graph, convolution, transposedPadding);

  const image = materialised(graph, convolution.image);
  const dilated = dilate(graph, image, convolution.imageDilation);
  const cropped = crop(graph, dilated, spatialAxes(convolution), convolution.padding);
  return graph.emit('Conv', [cropped, materialised(graph, kernel)], shape, image.type, {
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
  const operands = [image, kernel].map((view) =>
    graph.reshape(materialised(graph, view), [...view.shape, 1]),
  );
  const attributes = { group: groups, kernel_shape: [1] };
  return graph.reshape(graph.emit('Conv', operands, [...shape, 1], image.type, attributes), shape);
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

/**
 * With the names of the forward pass: examples and channels have changed places in what jax-js asks for, and again in its result.
 *
 *   result[channel, output, i, j] = sum over example, p, q of image[channel, example, p * d + i * s, q * d + j * s] * kernel[output, example, p, q]
 *
 * For each result pixel (i, j), that is a product of the image shifted by it and the kernel, over all examples and pixels at once.
 */
function byShiftedCopies(graph: GraphBuilder, convolution: Convolution): Tensor {
  const [channels] = convolution.shape;
  return channels >= channelsLastMin ? byPixelRows(graph, convolution) : byChannelRows(graph, convolution);
}

/** With this many channels a pixel is a run in memory that is worth copying as one. */
const channelsLastMin = 8;

/** Pixels first: [height, width, examples, channels]. Shifting then copies whole runs, and each result pixel is one matrix product. */
function byPixelRows(graph: GraphBuilder, convolution: Convolution): Tensor {
  const { image, kernel, padding, kernelDilation, shape } = convolution;
  const [channels, outputs, rows, columns] = shape;
  const [, examples, height, width] = kernel.shape;
  // In three axes: onnxruntime would make one slow transposition of four axes out of the fast one of two that this is.
  const padded = cropAndPad(graph, examplesFirst(graph, image), [2, 3], padding);
  const pixelRows = pixelsFirst(graph, padded, [...padded.shape.slice(2), examples * channels]);
  const kernelRows = pixelsFirst(graph, examplesFirst(graph, kernel), [height * width * examples, outputs]);
  const products = shifts(convolution).map(([starts, ends]) => {
    const copy = slice(graph, pixelRows, [0, 1], starts, ends, kernelDilation);
    const matrix = graph.reshape(copy, [height * width * examples, channels]);
    const attributes = { transA: 1, transB: 0, alpha: { float: 1 } };
    return graph.emit('Gemm', [matrix, kernelRows], [channels, outputs], image.type, attributes);
  });
  const joined = graph.emit('Concat', products, [products.length * channels, outputs], image.type, {
    axis: 0,
  });
  return materialised(
    graph,
    transposed(contiguous(joined, [rows, columns, channels, outputs]), [2, 3, 0, 1]),
  );
}

/** Examples first, as they lie: the shifted copies are joined, and all result pixels are one product for each example. */
function byChannelRows(graph: GraphBuilder, convolution: Convolution): Tensor {
  const { image, kernel, padding, kernelDilation, shape } = convolution;
  const type = image.type;
  const [channels, outputs, rows, columns] = shape;
  const [, examples, height, width] = kernel.shape;
  const padded = cropAndPad(graph, examplesFirst(graph, image), [2, 3], padding);
  const copies = shifts(convolution).map(([starts, ends]) =>
    slice(graph, padded, [2, 3], starts, ends, kernelDilation),
  );
  const positions = copies.length * channels;
  const joined = graph.emit('Concat', copies, [examples, positions, height, width], type, { axis: 1 });
  const operands = [
    graph.reshape(joined, [examples, positions, height * width]),
    graph.reshape(examplesFirst(graph, kernel), [examples, outputs, height * width]),
  ];
  const attributes = { transA: 0, transB: 1, alpha: { float: 1 } };
  const perExample = graph.emit(
    'FusedMatMul',
    operands,
    [examples, positions, outputs],
    type,
    attributes,
    'com.microsoft',
  );
  const sum = graph.emit('ReduceSum', [perExample, graph.integers([0])], [positions, outputs], type, {
    keepdims: 0,
  });
  return materialised(graph, transposed(contiguous(sum, [rows, columns, channels, outputs]), [2, 3, 0, 1]));
}

/** [examples, features, height, width] to [height, width, examples, features], given in another `shape`. */
function pixelsFirst(graph: GraphBuilder, tensor: Tensor, shape: readonly number[]): Tensor {
  return arranged(graph, transposed(contiguous(tensor), [2, 3, 0, 1]), shape);
}

/** As the forward pass had it: usually how it lies in memory. */
function examplesFirst(graph: GraphBuilder, view: View): Tensor {
  return materialised(graph, transposed(view, [1, 0, 2, 3]));
}

/** For each pixel of the result, where in the image the kernel lies. */
function shifts({
  kernel,
  strides,
  kernelDilation,
  shape,
}: Convolution): [starts: number[], ends: number[]][] {
  const [, , rows, columns] = shape;
  const reach = kernelDilation.map((dilation, axis) => (kernel.shape[axis + 2] - 1) * dilation + 1);
  return Array.from({ length: rows * columns }, (_, pixel) => {
    const starts = [Math.floor(pixel / columns) * strides[0], (pixel % columns) * strides[1]];
    return [starts, starts.map((start, axis) => start + reach[axis])];
  });
}

/**
 * The padding that makes ConvTranspose compute this convolution, or undefined if none does. A transposed convolution with stride d dilates its
 * input by d and pads it by (kernel - 1 - its own padding); what it lacks at the end is "output padding", which must be less than d.
 */
function transposedConvolutionPadding(convolution: Convolution): Range[] | undefined {
  const { kernel, groups, padding, strides, imageDilation, kernelDilation } = convolution;
  const dilated = imageDilation.some((dilation) => dilation > 1);
  // Inside, a convolution forms a matrix with rows for every input channel, a transposed one for every output channel.
  const [outputs, inputs] = kernel.shape;
  const wanted = dilated || inputs > outputs;
  if (!wanted || groups !== 1 || strides.some((stride) => stride !== 1)) return undefined;
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
  const { kernel, shape } = convolution;
  const image = materialised(graph, convolution.image);
  const spatial = spatialAxes(convolution);
  const [outputs, channels, ...size] = kernel.shape;
  const flipped = flip(graph, materialised(graph, kernel), spatial);
  const turned = graph.emit('Transpose', [flipped], [channels, outputs, ...size], image.type, {
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

/** Cuts off along `axes` what negative padding takes away. */
function crop(
  graph: GraphBuilder,
  image: Tensor,
  axes: readonly number[],
  padding: readonly Range[],
): Tensor {
  const cut = axes.flatMap((axis, index) =>
    padding[index].some((width) => width < 0) ? [{ axis, index }] : [],
  );
  return slice(
    graph,
    image,
    cut.map(({ axis }) => axis),
    cut.map(({ index }) => Math.max(0, -padding[index][0])),
    cut.map(({ axis, index }) => image.shape[axis] - Math.max(0, -padding[index][1])),
  );
}

function cropAndPad(
  graph: GraphBuilder,
  image: Tensor,
  axes: readonly number[],
  padding: readonly Range[],
): Tensor {
  const widths = image.shape.map((_, axis): Range => {
    const [before, after] = padding[axes.indexOf(axis)] ?? [0, 0];
    return [Math.max(0, before), Math.max(0, after)];
  });
  return pad(graph, crop(graph, image, axes, padding), widths);
}

function spatialAxes({ padding }: Convolution): number[] {
  return padding.map((_, axis) => axis + 2);
}

function onnxPads(padding: readonly Range[]): number[] {
  return [...padding.map(([before]) => before), ...padding.map(([, after]) => after)];
}

function pixels(shape: readonly number[]): number {
  return shape.slice(2).reduce((product, size) => product * size, 1);
}

export const convRules: Record<string, Rule> = { conv };
