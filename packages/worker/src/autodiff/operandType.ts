import type { Equation } from './TracedProgram.ts';

/** Types in the order of promotion: of two, the later wins. */
const promotionOrder = ['bool', 'uint32', 'int32', 'float16', 'float32', 'float64'];

/** Primitives whose every operand has the type of the result. */
const homogeneous = new Set(
  (
    'add mul idiv mod min max bit_combine neg reciprocal floor ceil stop_gradient sin cos asin atan exp log erf erfc sqrt ' +
    'reduce dot conv pool pool_transpose concatenate split transpose broadcast reshape flip shrink pad sort argsort ' +
    'triangular_solve cholesky lu jacobi_eigh fft'
  ).split(' '),
);
/** Primitives whose first operand has the type of the result, and the others their own. */
const followsFirst = new Set(['bit_shift', 'gather', 'scatter']);

/**
 * The type that `equation` reads operand `index` as. jax-js converts operands while it runs, and forgets when it records a program that a
 * number such as the 2 in `x.mul(2)` has no type of its own; the result's type, which was recorded rightly, says which was meant.
 */
export function operandType(equation: Equation, index: number): string {
  const primitive = String(equation.primitive);
  const result = String(equation.outBinders[0].aval.dtype);
  const own = String(equation.inputs[index].aval.dtype);
  if (homogeneous.has(primitive)) return result;
  if (followsFirst.has(primitive)) return index === 0 ? result : own;
  if (primitive === 'where') return index === 0 ? 'bool' : result;
  if (primitive === 'compare') return comparisonType(equation);
  return own;
}

function comparisonType({ inputs: [a, b] }: Equation): string {
  const [left, right] = [String(a.aval.dtype), String(b.aval.dtype)];
  if (a.aval.weakType === b.aval.weakType) return promote(left, right);
  // An untyped number takes the other side's type, except that a truth value becomes a number.
  return promote(a.aval.weakType ? right : left, 'uint32');
}

function promote(a: string, b: string): string {
  return promotionOrder[Math.max(promotionOrder.indexOf(a), promotionOrder.indexOf(b))];
}
