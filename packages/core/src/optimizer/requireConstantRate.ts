import { TributaryError } from '../errors/TributaryError.ts';

/** Throws INVALID_ARGUMENT if a schedule has changed the rate of a method that has a schedule of its own. */
export function requireConstantRate(name: string, learningRate: number, base: number): void {
  if (learningRate === base) return;
  throw new TributaryError('INVALID_ARGUMENT', `optimizer "${name}" takes no learning rate schedule`, {
    hint: 'Set the schedule to constant, without warm-up.',
  });
}
