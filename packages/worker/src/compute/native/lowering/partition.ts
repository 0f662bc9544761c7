import {
  type Equation,
  isVariable,
  type Operand,
  type TracedProgram,
  type Variable,
} from '../../../autodiff/TracedProgram.ts';
import { hostPrimitives } from './rules.ts';

/** Equations that run as one ONNX graph. */
export interface Segment {
  readonly equations: readonly Equation[];
  /** Variables from outside: the program's inputs and constants, and results of earlier stages. */
  readonly inputs: readonly Variable[];
  /** Results that a later stage or the caller reads. */
  readonly outputs: readonly Variable[];
}

/** A segment, then the host equations that become possible by it. */
export interface Stage {
  readonly segment: Segment;
  readonly hostEquations: readonly Equation[];
}

/**
 * Splits a program at the equations that only the host can run. An equation's stage is the greatest number of host equations on a path
 * to it: the fewest graphs that respect every dependency. A program without host equations is one stage.
 */
export function partition(program: TracedProgram): Stage[] {
  const stageOf = new Map<Variable, number>();
  const native: Equation[][] = [[]];
  const host: Equation[][] = [[]];
  for (const equation of program.equations) {
    const onHost = hostPrimitives.has(String(equation.primitive));
    const stage = Math.max(0, ...variables(equation.inputs).map((variable) => stageOf.get(variable) ?? 0));
    const into = onHost ? host : native;
    into[stage] ??= [];
    into[stage].push(equation);
    for (const binder of equation.outBinders) stageOf.set(binder, onHost ? stage + 1 : stage);
  }
  const count = Math.max(native.length, host.length);
  return Array.from({ length: count }, (_, stage) => {
    const equations = native[stage] ?? [];
    const hostEquations = host[stage] ?? [];
    const needed = new Set([
      ...variables(program.outputs),
      ...hostEquations.flatMap(({ inputs }) => variables(inputs)),
      ...native.slice(stage + 1).flatMap((later) => (later ?? []).flatMap(({ inputs }) => variables(inputs))),
      ...host.slice(stage + 1).flatMap((later) => (later ?? []).flatMap(({ inputs }) => variables(inputs))),
    ]);
    return { segment: segmentOf(equations, needed), hostEquations };
  });
}

function segmentOf(equations: readonly Equation[], needed: ReadonlySet<Variable>): Segment {
  const results = new Set(equations.flatMap(({ outBinders }) => outBinders));
  const read = new Set(equations.flatMap(({ inputs }) => variables(inputs)));
  return {
    equations,
    inputs: [...read].filter((variable) => !results.has(variable)),
    outputs: [...results].filter((variable) => needed.has(variable)),
  };
}

function variables(operands: readonly Operand[]): Variable[] {
  return operands.filter(isVariable);
}
