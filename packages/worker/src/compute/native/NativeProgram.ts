import {
  type Equation,
  isVariable,
  type Operand,
  type TracedProgram,
  type Variable,
} from '../../autodiff/TracedProgram.ts';
import type { ArraySpec, Buffer, Program } from '../ComputeBackend.ts';
import { checkBuffers, createBuffer } from '../checkBuffers.ts';
import { runOnHost } from './runOnHost.ts';
import type { Session } from './session/Session.ts';

/** A graph, then host equations. */
export interface RunnableStage {
  /** None where nothing is left for a graph to compute. */
  readonly session: Session | undefined;
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
  readonly hostEquations: readonly Equation[];
}

export interface NativeProgramOptions {
  readonly traced: Pick<TracedProgram, 'inputBinders' | 'outputs'>;
  readonly stages: readonly RunnableStage[];
  /** Constants that host equations or the outputs read; those of graphs are in the graphs. */
  readonly constants: ReadonlyMap<Variable, Buffer>;
  readonly indexes: boolean;
  readonly inputs: readonly ArraySpec[];
  readonly outputs: readonly ArraySpec[];
}

/** A lowered program. Almost always it is one graph, whose inputs and outputs are the caller's own buffers. */
export class NativeProgram implements Program {
  readonly backend = 'native';
  readonly indexes: boolean;
  readonly inputs: readonly ArraySpec[];
  readonly outputs: readonly ArraySpec[];
  readonly #options: NativeProgramOptions;

  constructor(options: NativeProgramOptions) {
    this.#options = options;
    this.indexes = options.indexes;
    this.inputs = options.inputs;
    this.outputs = options.outputs;
  }

  async run(inputs: readonly Buffer[], outputs: readonly Buffer[]): Promise<void> {
    checkBuffers('input', this.inputs, inputs);
    checkBuffers('output', this.outputs, outputs);
    const { traced, stages, constants } = this.#options;
    const values = new Map<Variable, Buffer>(constants);
    traced.inputBinders.forEach((binder, index) => {
      values.set(binder, inputs[index]);
    });
    // A result of the program is computed straight into the caller's buffer; one that only a later stage reads, into a buffer of its own.
    const destinations = new Map<Variable, Buffer>();
    traced.outputs.forEach((operand, index) => {
      if (isVariable(operand)) destinations.set(operand, outputs[index]);
    });
    for (const stage of stages) await runStage(stage, values, destinations);
    traced.outputs.forEach((operand, index) => {
      deliver(operand, values, outputs[index]);
    });
  }

  dispose(): void {
    for (const { session } of this.#options.stages) void session?.dispose();
  }
}

async function runStage(
  { session, inputs, outputs, hostEquations }: RunnableStage,
  values: Map<Variable, Buffer>,
  destinations: ReadonlyMap<Variable, Buffer>,
): Promise<void> {
  if (session !== undefined) {
    const results = outputs.map((variable) => destinations.get(variable) ?? createBuffer(specOf(variable)));
    await session.run(
      inputs.map((variable) => values.get(variable)!),
      results,
    );
    outputs.forEach((variable, index) => {
      values.set(variable, results[index]);
    });
  }
  for (const equation of hostEquations) {
    const operands = equation.inputs.map((operand) =>
      isVariable(operand) ? values.get(operand)! : createBuffer(specOf(operand)).fill(operand.value),
    );
    const results = await runOnHost(equation, operands);
    equation.outBinders.forEach((binder, index) => {
      values.set(binder, results[index]);
    });
  }
}

/** Copies a result that was not computed in place: an input handed through, a number, or one result asked for twice. */
function deliver(operand: Operand, values: ReadonlyMap<Variable, Buffer>, output: Buffer): void {
  if (!isVariable(operand)) {
    output.fill(Number(operand.value));
    return;
  }
  const value = values.get(operand)!;
  if (value !== output) output.set(value);
}

function specOf({ aval }: Operand): ArraySpec {
  return { shape: aval.shape, dtype: String(aval.dtype) as ArraySpec['dtype'] };
}
