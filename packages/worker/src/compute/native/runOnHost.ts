import { numpy as np } from '@jax-js/jax';
import { evaluateEquation } from '../../autodiff/evaluateProgram.ts';
import type { Equation } from '../../autodiff/TracedProgram.ts';
import { unsupported } from './lowering/Rule.ts';
import { hostPrimitives } from './lowering/rules.ts';

/** Refuses a host equation with a parameter that was unknown when this was written: it may change the meaning. */
export function checkHostEquation({ primitive, params }: Equation): void {
  const known = hostPrimitives.get(String(primitive));
  const unknown = Object.keys(params).find((name) => known === undefined || !known.includes(name));
  if (unknown !== undefined) throw unsupported(String(primitive), ` with the parameter "${unknown}"`);
}

/** What crosses between segments and the host. */
export type HostArray = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** Runs one equation of linear algebra by jax-js's own rule, from and to flat arrays. */
export async function runOnHost(equation: Equation, inputs: readonly HostArray[]): Promise<HostArray[]> {
  const arrays = equation.inputs.map(({ aval }, index) =>
    np.array(inputs[index] as Float32Array<ArrayBuffer>, { shape: [...aval.shape], dtype: aval.dtype }),
  );
  const results = evaluateEquation(equation, arrays);
  return Promise.all(results.map(async (result) => (await result.data()) as HostArray));
}
