import { numpy as np } from '@jax-js/jax';
import { invariant } from '@tributary/core/errors/invariant.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { operandType } from './operandType.ts';
import {
  type Equation,
  isVariable,
  type Operand,
  type TracedProgram,
  type Variable,
} from './TracedProgram.ts';

/*
 * jax-js can run a program in two ways: primitive by primitive, or compiled by `jit`. The second returns wrong gradients in 0.1.25
 * (it drops the padding of constants), and many of its library functions are compiled inside. A flattened trace has no such functions left,
 * so running its equations one by one, by the rules that jax-js itself uses for them, never enters the compiler.
 */
const rules = np.Array._implRules() as unknown as Record<
  string,
  (inputs: np.Array[], params: unknown) => np.Array[]
>;

/** Runs one equation by jax-js's own rule. Consumes the inputs. */
export function evaluateEquation(equation: Equation, inputs: readonly np.Array[]): np.Array[] {
  const primitive = String(equation.primitive);
  const rule = rules[primitive];
  invariant(rule !== undefined, `jax-js has no rule for its own primitive ${primitive}`);
  const typed = inputs.map((input, index) => {
    const dtype = operandType(equation, index);
    return String(input.dtype) === dtype ? input : input.astype(dtype as np.Array['dtype']);
  });
  const indexedShape: readonly number[] | undefined =
    primitive === 'gather' ? typed[0].shape : primitive === 'scatter' ? equation.params.shape : undefined;
  if (indexedShape === undefined) return rule(typed, equation.params);
  const [array, ...indices] = typed;
  const checked = indices.map((index, place) =>
    checkedIndex(index, indexedShape[equation.params.axis[place]]),
  );
  return rule([array, ...checked], equation.params);
}

/** jax-js reads some other element for an index that is out of range. Here negative ones count from the end, and others are errors. */
function checkedIndex(index: np.Array, size: number): np.Array {
  const { shape, dtype } = index;
  const values = (index.dataSync() as Int32Array).map((value) => {
    if (value < -size || value >= size) {
      throw new TributaryError(
        'OUT_OF_RANGE',
        `the index ${value} is out of range of the array it indexes, which goes from 0 to ${size - 1}`,
        {
          hint: 'Compare the labels or ids of the data with the sizes in the model.',
        },
      );
    }
    return value < 0 ? value + size : value;
  });
  return np.array(values as Int32Array<ArrayBuffer>, { shape, dtype });
}

export function literalArray(value: number, dtype: string): np.Array {
  return np.array(dtype === 'bool' ? value !== 0 : value, { dtype: dtype as np.Array['dtype'] });
}

/** Runs a trace eagerly. Consumes the inputs; every intermediate is freed after its last use. */
export function evaluateProgram(program: TracedProgram, inputs: readonly np.Array[]): np.Array[] {
  const usesLeft = countUses(program);
  const values = new Map<Variable, np.Array>();
  const bind = (variable: Variable, value: np.Array): void => {
    if (usesLeft.has(variable)) values.set(variable, value);
    else value.dispose();
  };
  const read = (operand: Operand): np.Array => {
    if (!isVariable(operand)) return literalArray(operand.value, operand.dtype);
    const value = values.get(operand);
    invariant(value !== undefined, 'an equation reads a variable before it is bound');
    const left = usesLeft.get(operand)! - 1;
    usesLeft.set(operand, left);
    if (left > 0) return value.ref;
    values.delete(operand);
    return value;
  };
  try {
    program.constantBinders.forEach((binder, index) => {
      bind(binder, program.constants[index].ref);
    });
    program.inputBinders.forEach((binder, index) => {
      bind(binder, inputs[index]);
    });
    for (const equation of program.equations) {
      const results = evaluateEquation(equation, equation.inputs.map(read));
      equation.outBinders.forEach((binder, index) => {
        bind(binder, results[index]);
      });
    }
    return program.outputs.map(read);
  } finally {
    for (const value of values.values()) value.dispose();
  }
}

function countUses(program: TracedProgram): Map<Variable, number> {
  const uses = new Map<Variable, number>();
  const count = (operand: Operand): void => {
    if (isVariable(operand)) uses.set(operand, (uses.get(operand) ?? 0) + 1);
  };
  for (const equation of program.equations) equation.inputs.forEach(count);
  program.outputs.forEach(count);
  return uses;
}
