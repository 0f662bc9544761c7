import type { Attribute, ElementType } from '../../onnx/OnnxModel.ts';
import { cast } from '../arrange.ts';
import { elementwise } from '../elementwise.ts';
import type { GraphBuilder } from '../GraphBuilder.ts';
import { type Rule, rule, unsupported } from '../Rule.ts';
import { broadcastTo, type Tensor, type View } from '../View.ts';

/** An ONNX operation that keeps shape and type. */
function unary(op: string): Rule {
  return rule('', (graph, [x], { type }) =>
    elementwise(graph, [x], ([tensor], shape) => graph.emit(op, [tensor], shape, type)),
  );
}

/** An ONNX operation on two operands, and the one that means the same for truth values. */
function binary(op: string, boolOp: string): Rule {
  return rule('', (graph, operands, { type }) =>
    elementwise(graph, operands, (tensors, shape) =>
      graph.emit(type === 'bool' ? boolOp : op, tensors, shape, type),
    ),
  );
}

/** `neutral` is the number that changes nothing: an operand that is this number everywhere is dropped. */
function withNeutral(inner: Rule, neutral: number): Rule {
  return rule('', (graph, operands, signature) => {
    const index = operands.findIndex(({ tensor }) => tensor.uniform === neutral && signature.type !== 'bool');
    return index < 0
      ? inner.lower(graph, operands, signature)
      : broadcastTo(operands[1 - index], signature.shape);
  });
}

/** Emits a chain of operations on tensors of one layout. */
export function emitter(graph: GraphBuilder, shape: readonly number[], type: ElementType) {
  return (
    op: string,
    inputs: readonly Tensor[],
    attributes: Record<string, Attribute> = {},
    resultType = type,
  ) => {
    const largest = inputs.some((input) => input.shape.length > 0) ? shape : [];
    return graph.emit(op, inputs, largest, resultType, attributes);
  };
}

/**
 * Whole-number division rounds toward zero, as in C. A zero divisor gives 0 (onnxruntime would end the process); float division by zero is infinite as usual.
 */
function integerDivision(op: 'Div' | 'Mod'): Rule {
  return rule('', (graph, operands, { type }) =>
    elementwise(graph, operands, ([a, b], shape) => {
      const emit = emitter(graph, shape, type);
      const attributes: Record<string, Attribute> = op === 'Mod' ? { fmod: 1 } : {};
      if (type.startsWith('float')) {
        const quotient = emit(op, [a, b], attributes);
        if (op === 'Mod') return quotient;
        const negative = emit('Less', [quotient, graph.scalar(0, type)], {}, 'bool');
        return emit('Where', [negative, emit('Ceil', [quotient]), emit('Floor', [quotient])]);
      }
      if (b.uniform !== undefined && b.uniform !== 0) return emit(op, [a, b], attributes);
      const zero = graph.scalar(0, type);
      const divisible = emit('Equal', [b, zero], {}, 'bool');
      // A sum, because not every integer type has a Where.
      const divisor = emit('Add', [b, graph.cast(divisible, type)]);
      const result = emit(op, [a, divisor], attributes);
      const keep = graph.cast(emit('Not', [divisible], {}, 'bool'), type);
      return emit('Mul', [result, keep]);
    }),
  );
}

const comparisons: Record<string, string> = {
  less: 'Less',
  less_equal: 'LessOrEqual',
  equal: 'Equal',
  not_equal: 'Equal',
};

const compare = rule('op', (graph, operands, { parameters: { op } }) => {
  const name = comparisons[op];
  if (name === undefined) throw unsupported('compare', ` with op "${op}"`);
  const ordered = name !== 'Equal';
  const comparable = operands.map((view) =>
    view.type === 'bool' && ordered ? cast(graph, view, 'int32') : view,
  );
  return elementwise(graph, comparable, (tensors, shape) => {
    const emit = emitter(graph, shape, 'bool');
    const result = emit(name, tensors);
    return op === 'not_equal' ? emit('Not', [result]) : result;
  });
});

const where = rule('', (graph, [condition, x, y], { type }) => {
  // onnxruntime has no Where for these two on a CPU.
  const through: ElementType = type === 'bool' || type === 'uint32' ? 'int32' : type;
  const result = elementwise(
    graph,
    [condition, cast(graph, x, through), cast(graph, y, through)],
    (tensors, shape) => graph.emit('Where', tensors, shape, through),
  );
  return cast(graph, result, type);
});

/**
 * erfc = 1 - erf loses every digit where erf is near 1, so it is computed by itself: t exp(-x^2 + P(t)) with t = 1 / (1 + |x| / 2), relative
 * error below 1.2e-7 (Numerical Recipes, 2nd edition, section 6.2, erfcc).
 */
const erfc = rule('', (graph, [x], { type }) =>
  elementwise(graph, [x], ([tensor], shape) => {
    const emit = emitter(graph, shape, type);
    const number = (value: number) => graph.scalar(value, type);
    const magnitude = emit('Abs', [tensor]);
    const t = emit('Reciprocal', [emit('Add', [emit('Mul', [magnitude, number(0.5)]), number(1)])]);
    const coefficients = [
      0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
      1.00002368, -1.26551223,
    ];
    const polynomial = coefficients
      .slice(1)
      .reduce(
        (sum, coefficient) => emit('Add', [emit('Mul', [sum, t]), number(coefficient)]),
        number(coefficients[0]),
      );
    const exponent = emit('Sub', [polynomial, emit('Mul', [magnitude, magnitude])]);
    const tail = emit('Mul', [t, emit('Exp', [exponent])]);
    const negative = emit('Less', [tensor, number(0)], {}, 'bool');
    return emit('Where', [negative, emit('Sub', [number(2), tail]), tail]);
  }),
);

const castRule = rule('dtype', (graph, [x], { type }) => cast(graph, x, type));

/** Whole numbers are their own floor and ceiling. */
function rounding(op: string): Rule {
  const onFloats = unary(op);
  return rule('', (graph, operands, signature) =>
    signature.type.startsWith('float') ? onFloats.lower(graph, operands, signature) : operands[0],
  );
}

/**
 * Unsigned numbers as signed ones in the same order, or back: the sign bit is turned over. Many operations of onnxruntime do not take
 * unsigned numbers, and going through 64 bits is no way out: its optimizer drops the two conversions and compares them as signed.
 */
export function asSigned(graph: GraphBuilder, view: View): View {
  return turned(graph, cast(graph, view, 'int32'));
}

export function asUnsigned(graph: GraphBuilder, view: View): View {
  return cast(graph, turned(graph, view), 'uint32');
}

function turned(graph: GraphBuilder, view: View): View {
  return elementwise(graph, [view], ([tensor], shape) =>
    graph.emit('BitwiseXor', [tensor, graph.scalar(-(2 ** 31), 'int32')], shape, 'int32'),
  );
}

export const elementwiseRules: Record<string, Rule> = {
  add: withNeutral(binary('Add', 'Or'), 0),
  mul: withNeutral(binary('Mul', 'And'), 1),
  min: binary('Min', 'And'),
  max: binary('Max', 'Or'),
  idiv: integerDivision('Div'),
  mod: integerDivision('Mod'),
  neg: rule('', (graph, [x], { type }) =>
    elementwise(graph, [x], ([tensor], shape) =>
      type === 'uint32'
        ? graph.emit('Sub', [graph.scalar(0, type), tensor], shape, type)
        : graph.emit('Neg', [tensor], shape, type),
    ),
  ),
  reciprocal: unary('Reciprocal'),
  floor: rounding('Floor'),
  ceil: rounding('Ceil'),
  sin: unary('Sin'),
  cos: unary('Cos'),
  asin: unary('Asin'),
  atan: unary('Atan'),
  exp: unary('Exp'),
  log: unary('Log'),
  erf: unary('Erf'),
  erfc,
  sqrt: unary('Sqrt'),
  stop_gradient: rule('', (_, [x]) => x),
  cast: castRule,
  compare,
  where,
};
