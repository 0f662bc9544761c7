import { type Jaxpr, makeJaxpr, numpy as np } from '@jax-js/jax';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { ArrayFunction, ArraySpec } from '../compute/ComputeBackend.ts';

/** One equation of a trace: `outBinders = primitive[params](inputs)`. */
export type Equation = Jaxpr['eqns'][number];
/** What an equation reads: a variable, or a scalar literal. */
export type Operand = Equation['inputs'][number];
export type Variable = Equation['outBinders'][number];
export type Literal = Exclude<Operand, Variable>;

/**
 * A function written out as straight-line equations over variables of fixed shapes: no nested functions, no dead equations.
 */
export interface TracedProgram {
  /** Arrays that the function captured or made itself; bound to `constantBinders`. Owned by the program. */
  readonly constants: readonly np.Array[];
  readonly constantBinders: readonly Variable[];
  readonly inputBinders: readonly Variable[];
  readonly equations: readonly Equation[];
  readonly outputs: readonly Operand[];
  /** Equal for programs of the same equations and numbers, the contents of `constants` aside. */
  readonly hash: bigint;
  dispose(): void;
}

export function isVariable(operand: Operand): operand is Variable {
  return 'id' in operand;
}

/** Whether it looks anything up by index. */
export function indexes({ equations }: TracedProgram): boolean {
  return equations.some(({ primitive }) => ['gather', 'scatter'].includes(String(primitive)));
}

/**
 * Records what `fn` does to arrays of these shapes; nothing is computed and no memory is taken for the inputs.
 * Throws INVALID_ARGUMENT if `fn` uses an array after it was consumed, with jax-js's word on which; other errors of `fn` pass through.
 */
export function traceFunction(fn: ArrayFunction, inputs: readonly ArraySpec[]): TracedProgram {
  const placeholders = inputs.map(({ shape, dtype }) => np.zeros([...shape], { dtype: np[dtype] }));
  try {
    const { jaxpr: closed } = makeJaxpr(fn)(...placeholders);
    // jax-js functions such as tanh are nested calls; flattening them leaves only primitives.
    const jaxpr = closed.jaxpr.flatten().simplify();
    const { inBinders, eqns, outs } = jaxpr;
    const constantCount = closed.consts.length;
    return {
      constants: closed.consts as np.Array[],
      constantBinders: inBinders.slice(0, constantCount),
      inputBinders: inBinders.slice(constantCount),
      equations: eqns,
      outputs: outs,
      hash: jaxpr.getHash(),
      dispose: () => closed.dispose(),
    };
  } catch (error) {
    if (error instanceof ReferenceError && error.constructor.name === 'UseAfterFreeError') {
      throw new TributaryError(
        'INVALID_ARGUMENT',
        `the model uses an array twice: ${error.message.split('\n')[0]}`,
        {
          hint: 'Using an array consumes it; write `x.ref` wherever it is needed again.',
          cause: error,
        },
      );
    }
    throw error;
  } finally {
    for (const placeholder of placeholders) if (placeholder.refCount > 0) placeholder.dispose();
  }
}
