import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { listNames } from '@tributary/core/layout/namePattern.ts';
import { transferParameters } from '@tributary/core/transfer/transferParameters.ts';
import type { Job } from '@tributary/worker/job/Job.ts';
import { loadParameters } from '@tributary/worker/parameters/loadParameters.ts';

/** Trained parameters that a job started from. */
export interface Origin {
  /** For people: where they were found. */
  readonly from: string;
  /** Names of tensors of the model: with the trained values, and as `init` made them. */
  readonly taken: readonly string[];
  readonly reinitialised: readonly string[];
  /** Names of tensors there for which the model has no use. */
  readonly unused: readonly string[];
}

export interface Beginning {
  readonly parameters: Float32Array;
  /** Undefined of a model that begins as `init` made it. */
  readonly origin?: Origin;
}

/**
 * A model's first parameters: `initial`, or those that `start` names. Throws FAILED_PRECONDITION with every tensor that is missing or of another shape,
 * and what lay there unused; INVALID_ARGUMENT for patterns that match nothing.
 */
export async function beginFrom(
  start: Job['start'],
  model: Layout,
  initial: Float32Array,
): Promise<Beginning> {
  if (start?.from === undefined) return { parameters: initial };
  const { from, ...rules } = start;
  const loaded = await loadParameters(from);
  const { flat, differences, ...names } = transferParameters(model, initial, loaded, rules);
  if (differences.length === 0) return { parameters: flat, origin: { from: loaded.description, ...names } };
  const unused = names.unused.length === 0 ? '' : `; not used: ${listNames(names.unused)}`;
  throw new TributaryError(
    'FAILED_PRECONDITION',
    `${loaded.description} does not fit the model: ${listNames(differences, '; ')}${unused}`,
    {
      hint: "In the job's start, `map` says how tensors are called there, `transpose` which to turn, `reinitialise` which to begin anew.",
    },
  );
}

/** For people, in one line. */
export function describeOrigin({ from, taken, reinitialised, unused }: Origin): string {
  const list = (what: string, names: readonly string[]) =>
    names.length === 0 ? '' : `; ${what}: ${listNames(names)}`;
  return `${taken.length} tensors of ${from}${list('new', reinitialised)}${list('not used', unused)}`;
}
