import type { Value } from './evaluateInFloat64.ts';
import { cholesky, dft, lu, triangularSolve } from './linearAlgebra.ts';

/*
 * Every primitive in the plainest way there is: loops over indices. Written from NumPy's and JAX's definitions, not from either backend.
 * (Above 400 lines, because it is one table with a row for each primitive.)
 */

// biome-ignore lint/suspicious/noExplicitAny: the parameters of jax-js's primitives have no exported types.
export type Primitive = (operands: readonly Value[], parameters: any, type: string) => Value[];

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** Every index of a shape, row-major. */
function* indices(shape: readonly number[]): Generator<number[]> {
  const count = sizeOf(shape);
  for (let flat = 0; flat < count; flat++) {
    const index = new Array<number>(shape.length);
    let rest = flat;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    yield index;
  }
}

/** The element at an index that may be of a larger, broadcast shape. */
function at({ shape, data }: Value, index: readonly number[]): number {
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const place = index[index.length - shape.length + axis];
    flat = flat * shape[axis] + (shape[axis] === 1 ? 0 : place);
  }
  return data[flat];
}

function build(shape: readonly number[], type: string, element: (index: number[]) => number): Value {
  const data = new Float64Array(sizeOf(shape));
  let flat = 0;
  for (const index of indices(shape)) data[flat++] = wrap(element(index), type);
  return { shape: [...shape], type, data };
}

function wrap(value: number, type: string): number {
  if (type === 'bool') return value === 0 ? 0 : 1;
  if (type === 'int32') return value | 0;
  if (type === 'uint32') return value >>> 0;
  return value;
}

function broadcastShape(values: readonly Value[]): number[] {
  const rank = Math.max(...values.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    values.reduce((size, { shape }) => {
      const own = shape[axis - rank + shape.length] ?? 1;
      return own === 1 ? size : own;
    }, 1),
  );
}

const elementwise =
  (fn: (type: string, ...operands: number[]) => number): Primitive =>
  (operands, _, type) => [
    build(broadcastShape(operands), type, (index) =>
      fn(operands[0].type, ...operands.map((value) => at(value, index))),
    ),
  ];
const unary = (fn: (x: number) => number) => elementwise((_, x) => fn(x));

function product(type: string, a: number, b: number): number {
  return type === 'int32' ? Math.imul(a, b) : type === 'uint32' ? Math.imul(a, b) >>> 0 : a * b;
}

function erf(x: number): number {
  return 1 - erfc(x);
}

/** Series near 0, continued fraction beyond (Abramowitz and Stegun, 7.1.5 and 7.1.14). */
function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; n < 80; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 120; n >= 1; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

const comparisons: Record<string, (a: number, b: number) => boolean> = {
  less: (a, b) => a < b,
  less_equal: (a, b) => a <= b,
  equal: (a, b) => a === b,
  not_equal: (a, b) => a !== b,
};

const reductions: Record<string, [start: number, fn: (a: number, b: number) => number]> = {
  Add: [0, (a, b) => a + b],
  Mul: [1, (a, b) => a * b],
  Min: [Infinity, Math.min],
  Max: [-Infinity, Math.max],
};

function windows(operand: Value, window: readonly number[], strides: readonly number[]): Value {
  const rank = window.length;
  const front = operand.shape.slice(0, -rank);
  const out = window.map((size, axis) =>
    Math.ceil((operand.shape[front.length + axis] - size + 1) / strides[axis]),
  );
  return build([...front, ...out, ...window], operand.type, (index) =>
    at(operand, [
      ...index.slice(0, front.length),
      ...out.map((_, axis) => index[front.length + axis] * strides[axis] + index[front.length + rank + axis]),
    ]),
  );
}

/** The position in the indexed array of an element of a gather's result. */
function gatheredIndex(
  index: readonly number[],
  positions: readonly Value[],
  axis: readonly number[],
  outDim: number,
  rank: number,
  shape: readonly number[],
): number[] {
  const indexRank = Math.max(...positions.map((position) => position.shape.length));
  const inIndex = index.slice(outDim, outDim + indexRank);
  const others = [...index.slice(0, outDim), ...index.slice(outDim + indexRank)];
  return Array.from({ length: rank }, (_, place) => {
    const which = axis.indexOf(place);
    if (which < 0) return others.shift()!;
    const found = at(positions[which], inIndex);
    return found < 0 ? found + shape[place] : found;
  });
}

function threefry(k0: number, k1: number, counter: number): [number, number] {
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
  const keys = [k0 >>> 0, k1 >>> 0, (k0 ^ k1 ^ 0x1bd11bda) >>> 0];
  let [x0, x1] = [keys[0], (counter + keys[1]) >>> 0];
  for (let round = 0; round < 20; round++) {
    const places = rotations[round % 8];
    x0 = (x0 + x1) >>> 0;
    x1 = (((x1 << places) | (x1 >>> (32 - places))) ^ x0) >>> 0;
    if (round % 4 === 3) {
      const group = (round + 1) / 4;
      x0 = (x0 + keys[group % 3]) >>> 0;
      x1 = (x1 + keys[(group + 1) % 3] + group) >>> 0;
    }
  }
  return [x0, x1];
}

const views: Record<string, { new (buffer: ArrayBuffer): Float32Array | Int32Array | Uint32Array }> = {
  float32: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
};

export const primitives: Record<string, Primitive> = {
  add: elementwise((type, a, b) => (type === 'bool' ? a || b : a + b)),
  mul: elementwise(product),
  min: elementwise((_, a, b) => Math.min(a, b)),
  max: elementwise((_, a, b) => Math.max(a, b)),
  idiv: elementwise((type, a, b) => (b === 0 && !type.startsWith('float') ? 0 : Math.trunc(a / b))),
  mod: elementwise((type, a, b) => (b === 0 && !type.startsWith('float') ? 0 : a % b)),
  neg: unary((x) => -x),
  reciprocal: unary((x) => 1 / x),
  floor: unary(Math.floor),
  ceil: unary(Math.ceil),
  stop_gradient: unary((x) => x),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  asin: unary(Math.asin),
  atan: unary(Math.atan),
  exp: unary(Math.exp),
  log: unary(Math.log),
  erf: unary(erf),
  erfc: unary(erfc),
  sqrt: unary(Math.sqrt),
  cast: ([x], _, type) => [
    build(x.shape, type, (index) =>
      type === 'bool' || type.startsWith('float') ? at(x, index) : Math.trunc(at(x, index)),
    ),
  ],
  bitcast: ([x], _, type) => [
    build(x.shape, type, (index) => {
      const buffer = new ArrayBuffer(4);
      new views[x.type](buffer)[0] = at(x, index);
      return new views[type](buffer)[0];
    }),
  ],
  bit_combine: (operands, { op }, type) =>
    elementwise((_, a, b) => (op === 'and' ? a & b : op === 'or' ? a | b : a ^ b))(operands, {}, type),
  bit_shift: (operands, { op }, type) =>
    elementwise((_, a, b) => (op === 'shl' ? a << b : a >>> b))(operands, {}, type),
  bit_count: unary((x) => (x >>> 0).toString(2).replaceAll('0', '').length),
  compare: (operands, { op }, type) =>
    elementwise((_, a, b) => Number(comparisons[op](a, b)))(operands, {}, type),
  where: elementwise((_, condition, a, b) => (condition === 0 ? b : a)),
  random_bits: ([k0, k1], { shape, mode }) => {
    const inner: number[] = shape.slice(k0.shape.length);
    return [
      build(shape, 'uint32', (index) => {
        const key = index.slice(0, k0.shape.length);
        const counter = index
          .slice(k0.shape.length)
          .reduce((flat, place, axis) => flat * inner[axis] + place, 0);
        const [a, b] = threefry(at(k0, key), at(k1, key), counter);
        return mode === 'xor' ? a ^ b : mode === 0 ? a : b;
      }),
    ];
  },
  reduce: ([x], { op, axis }, type) => {
    const kept = x.shape.flatMap((_, place) => (axis.includes(place) ? [] : [place]));
    const gone: number[] = axis;
    const [start, fn] = reductions[op];
    return [
      build(
        kept.map((place) => x.shape[place]),
        type,
        (index) => {
          let result = start;
          for (const inner of indices(gone.map((place) => x.shape[place]))) {
            const place = new Array<number>(x.shape.length);
            kept.forEach((where, k) => {
              place[where] = index[k];
            });
            gone.forEach((where, k) => {
              place[where] = inner[k];
            });
            result = fn(result, at(x, place));
          }
          return result;
        },
      ),
    ];
  },
  dot: (operands, _, type) => {
    const shape = broadcastShape(operands);
    const length = shape.pop()!;
    return [
      build(shape, type, (index) => {
        let sum = 0;
        for (let k = 0; k < length; k++)
          sum += product(type, at(operands[0], [...index, k]), at(operands[1], [...index, k]));
        return sum;
      }),
    ];
  },
  conv: ([image, kernel], { vmapDims, strides, padding, lhsDilation, rhsDilation }, type) => {
    const size = kernel.shape.slice(vmapDims + 2);
    const imageSize = image.shape.slice(vmapDims + 2);
    const front = broadcastShape([
      { ...image, shape: image.shape.slice(0, vmapDims) },
      { ...kernel, shape: kernel.shape.slice(0, vmapDims) },
    ]);
    const out = size.map((length, axis) => {
      const reach = (length - 1) * rhsDilation[axis] + 1;
      const padded = (imageSize[axis] - 1) * lhsDilation[axis] + 1 + padding[axis][0] + padding[axis][1];
      return Math.ceil((padded - reach + 1) / strides[axis]);
    });
    return [
      build([...front, image.shape[vmapDims], kernel.shape[vmapDims], ...out], type, (index) => {
        const mapped = index.slice(0, vmapDims);
        const [example, output, ...pixel] = index.slice(vmapDims);
        let sum = 0;
        for (const [channel, ...place] of indices([image.shape[vmapDims + 1], ...size])) {
          const source = place.map((offset, axis) => {
            const position = pixel[axis] * strides[axis] + offset * rhsDilation[axis] - padding[axis][0];
            return position % lhsDilation[axis] === 0 ? position / lhsDilation[axis] : -1;
          });
          if (source.some((position, axis) => position < 0 || position >= imageSize[axis])) continue;
          const inImage = mapped.map((place, axis) => (image.shape[axis] === 1 ? 0 : place));
          const inKernel = mapped.map((place, axis) => (kernel.shape[axis] === 1 ? 0 : place));
          sum +=
            at(image, [...inImage, example, channel, ...source]) *
            at(kernel, [...inKernel, output, channel, ...place]);
        }
        return sum;
      }),
    ];
  },
  pool: ([x], { window, strides }) => [windows(x, window, strides)],
  pool_transpose: ([x], { inShape, window, strides }, type) => {
    const rank = window.length;
    const front = inShape.length - rank;
    const result = build(inShape, type, () => 0);
    for (const index of indices(x.shape)) {
      const place = [
        ...index.slice(0, front),
        ...window.map(
          (_: number, axis: number) => index[front + axis] * strides[axis] + index[front + rank + axis],
        ),
      ];
      result.data[place.reduce((flat, position, axis) => flat * inShape[axis] + position, 0)] += at(x, index);
    }
    return [result];
  },
  concatenate: (operands, { axis }, type) => {
    const shape = [...operands[0].shape];
    shape[axis] = operands.reduce((length, { shape: own }) => length + own[axis], 0);
    return [
      build(shape, type, (index) => {
        let place = index[axis];
        const operand = operands.find(({ shape: own }) => {
          if (place < own[axis]) return true;
          place -= own[axis];
          return false;
        })!;
        return at(operand, index.with(axis, place));
      }),
    ];
  },
  split: ([x], { axis, sizes }) => {
    let start = 0;
    return sizes.map((size: number) => {
      const from = start;
      start += size;
      return build(x.shape.with(axis, size), x.type, (index) => at(x, index.with(axis, index[axis] + from)));
    });
  },
  gather: ([x, ...positions], { axis, outDim }) => {
    const shape = x.shape.filter((_, place) => !axis.includes(place));
    shape.splice(outDim, 0, ...broadcastShape(positions));
    return [
      build(shape, x.type, (index) =>
        at(x, gatheredIndex(index, positions, axis, outDim, x.shape.length, x.shape)),
      ),
    ];
  },
  scatter: ([updates, ...positions], { op, shape, axis, outDim }, type) => {
    const result = build(shape, type, () => 0);
    for (const index of indices(updates.shape)) {
      const place = gatheredIndex(index, positions, axis, outDim, shape.length, shape);
      const flat = place.reduce((sum, position, k) => sum * shape[k] + position, 0);
      result.data[flat] = op === 'add' ? result.data[flat] + at(updates, index) : at(updates, index);
    }
    return [result];
  },
  transpose: ([x], { perm }) => [
    build(
      perm.map((axis: number) => x.shape[axis]),
      x.type,
      (index) =>
        at(
          x,
          x.shape.map((_, axis) => index[perm.indexOf(axis)]),
        ),
    ),
  ],
  broadcast: ([x], { shape, axis }) => [
    build(shape, x.type, (index) =>
      at(
        x,
        index.filter((_, place) => !axis.includes(place)),
      ),
    ),
  ],
  reshape: ([x], { shape }) => [{ ...x, shape }],
  flip: ([x], { axis }) => [
    build(x.shape, x.type, (index) =>
      at(
        x,
        index.map((place, k) => (axis.includes(k) ? x.shape[k] - 1 - place : place)),
      ),
    ),
  ],
  shrink: ([x], { slice }) => [
    build(
      slice.map(([start, end]: number[]) => end - start),
      x.type,
      (index) =>
        at(
          x,
          index.map((place, k) => place + slice[k][0]),
        ),
    ),
  ],
  pad: ([x], { width }) => [
    build(
      x.shape.map((size, k) => size + width[k][0] + width[k][1]),
      x.type,
      (index) => {
        const place = index.map((position, k) => position - width[k][0]);
        return place.some((position, k) => position < 0 || position >= x.shape[k]) ? 0 : at(x, place);
      },
    ),
  ],
  sort: (operands, parameters, type) => [primitives.argsort(operands, parameters, type)[0]],
  argsort: ([x]) => {
    const length = x.shape.at(-1)!;
    const values = Float64Array.from(x.data);
    const order = new Float64Array(x.data.length);
    for (let start = 0; start < values.length; start += length) {
      const row = x.data.slice(start, start + length);
      const places = [...row.keys()].sort((a, b) => row[a] - row[b] || a - b);
      places.forEach((place, k) => {
        values[start + k] = row[place];
        order[start + k] = place;
      });
    }
    return [
      { ...x, data: values },
      { shape: x.shape, type: 'int32', data: order },
    ];
  },
  cholesky: ([a]) => [cholesky(a)],
  triangular_solve: ([a, b], { unitDiagonal }) => [triangularSolve(a, b, unitDiagonal)],
  lu: ([a]) => lu(a),
  fft: ([real, imaginary], { inverse }) => dft(real, imaginary, inverse),
};
