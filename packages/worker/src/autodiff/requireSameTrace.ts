import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { ArrayFunction, ArraySpec } from '../compute/ComputeBackend.ts';
import { type TracedProgram, traceFunction } from './TracedProgram.ts';

/**
 * A model is traced once and then run many times; what it does differently on another call, such as drawing a random number, would be frozen.
 * Throws FAILED_PRECONDITION if two traces differ in their operations or their numbers.
 */
export async function requireSameTrace(
  purpose: string,
  fn: ArrayFunction,
  inputs: readonly ArraySpec[],
): Promise<void> {
  const [first, second] = [traceFunction(fn, inputs), traceFunction(fn, inputs)];
  const same = first.hash === second.hash && (await sameConstants(first, second));
  first.dispose();
  second.dispose();
  if (same) return;
  throw new TributaryError(
    'FAILED_PRECONDITION',
    `the model's ${purpose} does something else on its second call`,
    {
      hint: 'Make it depend on its arguments alone; random numbers need a key that is a field of the batch.',
    },
  );
}

async function sameConstants(first: TracedProgram, second: TracedProgram): Promise<boolean> {
  if (first.constants.length !== second.constants.length) return false;
  for (const [index, constant] of first.constants.entries()) {
    const [a, b] = [await constant.ref.data(), await second.constants[index].ref.data()];
    if (a.length !== b.length || a.some((value, place) => !Object.is(value, b[place]))) return false;
  }
  return true;
}
