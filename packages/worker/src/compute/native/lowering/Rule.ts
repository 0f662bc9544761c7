import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Equation } from '../../../autodiff/TracedProgram.ts';
import type { ElementType } from '../onnx/OnnxModel.ts';
import type { GraphBuilder } from './GraphBuilder.ts';
import type { View } from './View.ts';

/** What an equation says apart from its operands. */
export interface Signature {
  readonly primitive: string;
  // biome-ignore lint/suspicious/noExplicitAny: the parameters of jax-js's primitives have no exported types; `parameters` of the rule lists them.
  readonly parameters: Readonly<Record<string, any>>;
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly equation: Equation;
}

/** How one primitive becomes ONNX. Its operands come as the type that the equation reads them as. */
export interface Rule {
  /** The parameters of the primitive that the rule knows. Another one in a program is an error: it may change the meaning. */
  readonly parameters: readonly string[];
  lower(graph: GraphBuilder, operands: readonly View[], signature: Signature): View | readonly View[];
}

export function rule(parameters: string, lower: Rule['lower']): Rule {
  return { parameters: parameters === '' ? [] : parameters.split(' '), lower };
}

export function unsupported(primitive: string, why: string): TributaryError {
  return new TributaryError(
    'UNIMPLEMENTED',
    `the native backend cannot run the primitive "${primitive}"${why}`,
    {
      hint: 'Use --compute reference, or auto.',
    },
  );
}
