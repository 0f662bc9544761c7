import {
  indexes,
  isVariable,
  type TracedProgram,
  traceFunction,
  type Variable,
} from '../../autodiff/TracedProgram.ts';
import type {
  ArrayFunction,
  ArraySpec,
  Buffer,
  CompileOptions,
  ComputeBackend,
  Program,
} from '../ComputeBackend.ts';
import { outputSpecs } from '../outputSpecs.ts';
import { withSparseOutputs } from '../withSparseOutputs.ts';
import { type ConstantData, lowerSegment } from './lowering/lowerSegment.ts';
import { partition } from './lowering/partition.ts';
import { NativeProgram, type RunnableStage } from './NativeProgram.ts';
import { checkHostEquation } from './runOnHost.ts';
import { openSession } from './session/Session.ts';

export interface NativeOptions {
  /** Threads that one operation may use. With one worker per core, 1 is best: more only wait for each other. */
  readonly threads?: number;
}

/** Lowers the traced program to ONNX and runs it with onnxruntime. */
export class NativeBackend implements ComputeBackend {
  readonly name = 'native';
  readonly #threads: number;

  constructor({ threads = 1 }: NativeOptions = {}) {
    this.#threads = threads;
  }

  async compile(
    fn: ArrayFunction,
    inputs: readonly ArraySpec[],
    { sparseOutputs = [] }: CompileOptions = {},
  ): Promise<Program> {
    const traced = withSparseOutputs(traceFunction(fn, inputs), sparseOutputs);
    try {
      const constants = await readConstants(traced);
      const stages = await this.#openStages(traced, constants);
      return new NativeProgram({
        traced: { inputBinders: traced.inputBinders, outputs: traced.outputs },
        stages,
        constants: constantsOutsideGraphs(traced, stages, constants),
        indexes: indexes(traced),
        inputs,
        outputs: outputSpecs(traced),
      });
    } finally {
      traced.dispose();
    }
  }

  async #openStages(
    traced: TracedProgram,
    constants: ReadonlyMap<Variable, ConstantData>,
  ): Promise<RunnableStage[]> {
    const lowered = partition(traced).map(({ segment, hostEquations }) => {
      hostEquations.forEach(checkHostEquation);
      return { ...lowerSegment(segment, constants), hostEquations };
    });
    const stages: RunnableStage[] = [];
    for (const { model, inputs, outputs, hostEquations } of lowered) {
      const session = outputs.length === 0 ? undefined : await openSession(model, this.#threads);
      stages.push({ session, inputs, outputs, hostEquations });
    }
    return stages;
  }
}

async function readConstants(traced: TracedProgram): Promise<Map<Variable, ConstantData>> {
  const constants = new Map<Variable, ConstantData>();
  for (const [index, binder] of traced.constantBinders.entries()) {
    constants.set(binder, (await traced.constants[index].ref.data()) as ConstantData);
  }
  return constants;
}

function constantsOutsideGraphs(
  traced: TracedProgram,
  stages: readonly RunnableStage[],
  constants: ReadonlyMap<Variable, ConstantData>,
): Map<Variable, Buffer> {
  const read = [
    ...traced.outputs,
    ...stages.flatMap(({ hostEquations }) => hostEquations.flatMap(({ inputs }) => inputs)),
  ];
  return new Map(
    read.filter(isVariable).flatMap((variable) => {
      const data = constants.get(variable);
      return data === undefined ? [] : [[variable, data as Buffer]];
    }),
  );
}
