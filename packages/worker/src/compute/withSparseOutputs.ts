import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import {
  type Equation,
  isVariable,
  type Operand,
  type TracedProgram,
  type Variable,
} from '../autodiff/TracedProgram.ts';

/**
 * The program with the given outputs replaced by the pairs [indices, rows] that they are sums of. The gradient of a table that is only looked up
 * by rows is such a sum: zeros, to which each lookup added the rows of its result. Leaving out the zeros saves writing the whole table.
 * Throws FAILED_PRECONDITION for an output that is anything else.
 */
export function withSparseOutputs(program: TracedProgram, sparseOutputs: readonly number[]): TracedProgram {
  if (sparseOutputs.length === 0) return program;
  const definitions = new Map<Variable, Equation>();
  for (const equation of program.equations) {
    for (const binder of equation.outBinders) definitions.set(binder, equation);
  }
  const outputs = program.outputs.flatMap((output, index) =>
    sparseOutputs.includes(index) ? lookups(output, definitions, index) : [output],
  );
  return { ...program, outputs };
}

function lookups(output: Operand, definitions: ReadonlyMap<Variable, Equation>, index: number): Operand[] {
  const equation = isVariable(output) ? definitions.get(output) : undefined;
  if (String(equation?.primitive) === 'add') {
    return equation!.inputs.flatMap((term) => lookups(term, definitions, index));
  }
  const { op, axis, outDim } = equation?.params ?? {};
  const byRows =
    String(equation?.primitive) === 'scatter' &&
    op === 'add' &&
    axis.length === 1 &&
    axis[0] === 0 &&
    outDim === 0;
  if (!byRows) {
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `output ${index} is not sparse: it is not only a sum over lookups of rows`,
      {
        hint: 'Use a sparse table only through embedding(table, ids).',
      },
    );
  }
  const [rows, indices] = equation!.inputs;
  return [indices, rows];
}
