import { operandType } from '@tributary/worker/autodiff/operandType.ts';
import {
  isVariable,
  type Operand,
  type TracedProgram,
  type Variable,
} from '@tributary/worker/autodiff/TracedProgram.ts';
import { primitives } from './primitives.ts';

/** An array in float64, whatever type it stands for: whole numbers of 32 bits and truth values are exact in it. */
export interface Value {
  readonly shape: readonly number[];
  readonly type: string;
  readonly data: Float64Array;
}

/**
 * Runs a trace in double precision, by an interpreter that shares nothing with jax-js or onnxruntime: the judge of both.
 */
export function evaluateInFloat64(program: TracedProgram, inputs: readonly Value[]): Value[] {
  const values = new Map<Variable, Value>();
  program.constantBinders.forEach((binder, index) => {
    const data = Float64Array.from(program.constants[index].ref.dataSync() as Float32Array);
    values.set(binder, { shape: binder.aval.shape, type: String(binder.aval.dtype), data });
  });
  program.inputBinders.forEach((binder, index) => {
    values.set(binder, inputs[index]);
  });
  const read = (operand: Operand): Value =>
    isVariable(operand)
      ? values.get(operand)!
      : { shape: [], type: String(operand.dtype), data: Float64Array.of(operand.value) };
  for (const equation of program.equations) {
    const operands = equation.inputs.map((operand, index) => {
      const value = read(operand);
      return { ...value, type: operandType(equation, index) };
    });
    const primitive = primitives[String(equation.primitive)];
    if (primitive === undefined) throw new Error(`the oracle does not know "${equation.primitive}"`);
    const results = primitive(operands, equation.params, String(equation.outBinders[0].aval.dtype));
    equation.outBinders.forEach((binder, index) => {
      values.set(binder, results[index]);
    });
  }
  return program.outputs.map(read);
}
