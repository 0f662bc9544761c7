import { type ElementType, elementTypeNumbers } from '../../onnx/OnnxModel.ts';
import { cast, materialised } from '../arrange.ts';
import { elementwise } from '../elementwise.ts';
import type { GraphBuilder } from '../GraphBuilder.ts';
import { type Rule, rule, unsupported } from '../Rule.ts';
import { contiguous, type Tensor } from '../View.ts';
import { emitter } from './elementwise.ts';

const combinations: Record<string, readonly [bits: string, truths: string]> = {
  and: ['BitwiseAnd', 'And'],
  or: ['BitwiseOr', 'Or'],
  xor: ['BitwiseXor', 'Xor'],
};

const bitCombine = rule('op', (graph, operands, { type, parameters: { op } }) => {
  const names = combinations[op];
  if (names === undefined) throw unsupported('bit_combine', ` with op "${op}"`);
  return elementwise(graph, operands, (tensors, shape) =>
    graph.emit(names[type === 'bool' ? 1 : 0], tensors, shape, type),
  );
});

/** Shifts bring in zeros on both sides, for signed numbers too, as in jax-js. */
const bitShift = rule('op', (graph, operands, { type, parameters: { op } }) => {
  if (op !== 'shl' && op !== 'shr') throw unsupported('bit_shift', ` with op "${op}"`);
  const unsigned = operands.map((view) => cast(graph, view, 'uint32'));
  const shifted = elementwise(graph, unsigned, (tensors, shape) =>
    graph.emit('BitShift', tensors, shape, 'uint32', { direction: op === 'shl' ? 'LEFT' : 'RIGHT' }),
  );
  return cast(graph, shifted, type);
});

/** Counts by adding neighbouring fields of 1, 2, 4 ... bits (Hacker's Delight, section 5-1). */
const bitCount = rule('', (graph, [x], { type }) => {
  const count = elementwise(graph, [cast(graph, x, 'uint32')], ([tensor], shape) => {
    const emit = emitter(graph, shape, 'uint32');
    const number = (value: number) => graph.scalar(value, 'uint32');
    const right = (value: Tensor, places: number) =>
      emit('BitShift', [value, number(places)], { direction: 'RIGHT' });
    const and = (value: Tensor, mask: number) => emit('BitwiseAnd', [value, number(mask)]);
    const pairs = emit('Sub', [tensor, and(right(tensor, 1), 0x55555555)]);
    const nibbles = emit('Add', [and(pairs, 0x33333333), and(right(pairs, 2), 0x33333333)]);
    const bytes = and(emit('Add', [nibbles, right(nibbles, 4)]), 0x0f0f0f0f);
    return right(emit('Mul', [bytes, number(0x01010101)]), 24);
  });
  return cast(graph, count, type);
});

const bitcast = rule('dtype', (graph, [x], { type }) =>
  type === x.type
    ? x
    : elementwise(graph, [x], ([tensor], shape) =>
        graph.emit('BitCast', [tensor], shape, type, { to: elementTypeNumbers[type] }),
      ),
);

/**
 * Threefry-2x32 with 20 rounds on the counters (0, i), i the number of the element (Salmon et al., "Parallel Random Numbers: As Easy as
 * 1, 2, 3", 2011): the same bits as jax-js. `mode` says which of the two words is wanted, or both xored.
 */
const randomBits = rule('shape mode', (graph, keys, { shape, parameters: { mode } }) => {
  if (mode !== 'xor' && mode !== 0 && mode !== 1) throw unsupported('random_bits', ` with mode "${mode}"`);
  const keyShape = keys[0].shape;
  const elementShape = shape.slice(keyShape.length);
  const count = elementShape.reduce((product, dimension) => product * dimension, 1);
  const [k0, k1] = keys.map((key) =>
    graph.reshape(materialised(graph, key), [...keyShape, ...elementShape.map(() => 1)]),
  );
  const counters = graph.constant(
    Uint32Array.from({ length: count }, (_, index) => index),
    elementShape,
    'uint32',
  );
  const [x0, x1] = threefry(graph, k0, k1, counters, shape);
  const bits = mode === 'xor' ? graph.emit('BitwiseXor', [x0, x1], shape, 'uint32') : mode === 0 ? x0 : x1;
  return contiguous(bits, shape);
});

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
];

function threefry(
  graph: GraphBuilder,
  k0: Tensor,
  k1: Tensor,
  counters: Tensor,
  shape: readonly number[],
): [Tensor, Tensor] {
  const type: ElementType = 'uint32';
  const number = (value: number) => graph.scalar(value, type);
  const onKeys = (op: string, a: Tensor, b: Tensor) => graph.emit(op, [a, b], k0.shape, type);
  const on = (op: string, a: Tensor, b: Tensor, attributes = {}) =>
    graph.emit(op, [a, b], shape, type, attributes);
  const schedule = [k0, k1, onKeys('BitwiseXor', onKeys('BitwiseXor', k0, k1), number(0x1bd11bda))];
  // The first word's counter is 0 throughout, so the first sum is the key alone.
  let x0 = graph.emit('Expand', [k0, graph.integers(shape)], shape, type);
  let x1 = on('Add', counters, k1);
  for (let round = 0; round < 5; round++) {
    for (const places of rotations[round % 2]) {
      x0 = on('Add', x0, x1);
      const left = on('BitShift', x1, number(places), { direction: 'LEFT' });
      const right = on('BitShift', x1, number(32 - places), { direction: 'RIGHT' });
      x1 = on('BitwiseXor', on('BitwiseOr', left, right), x0);
    }
    x0 = on('Add', x0, schedule[(round + 1) % 3]);
    x1 = on('Add', x1, onKeys('Add', schedule[(round + 2) % 3], number(round + 1)));
  }
  return [x0, x1];
}

export const bitRules: Record<string, Rule> = {
  bit_combine: bitCombine,
  bit_shift: bitShift,
  bit_count: bitCount,
  bitcast,
  random_bits: randomBits,
};
