import type { Layout } from '@tributary/core/layout/Layout.ts';
import { listNames } from '@tributary/core/layout/namePattern.ts';
import type { Job } from '@tributary/worker/job/Job.ts';
import { loadParameters } from '@tributary/worker/parameters/loadParameters.ts';
import { rulesHint, takeParameters } from '@tributary/worker/parameters/takeParameters.ts';

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

/** A model's first parameters: `initial`, or those that `start` names. Throws as loadParameters and takeParameters do. */
export async function beginFrom(
  start: Job['start'],
  model: Layout,
  initial: Float32Array,
): Promise<Beginning> {
  if (start?.from === undefined) return { parameters: initial };
  const { from, ...rules } = start;
  const loaded = await loadParameters(from);
  const hint = `In the job's start, ${rulesHint}`;
  const { flat, taken, reinitialised, unused } = takeParameters(model, initial, loaded, { rules, hint });
  return { parameters: flat, origin: { from: loaded.description, taken, reinitialised, unused } };
}

/** For people, in one line. */
export function describeOrigin({ from, taken, reinitialised, unused }: Origin): string {
  const list = (what: string, names: readonly string[]) =>
    names.length === 0 ? '' : `; ${what}: ${listNames(names)}`;
  return `${taken.length} tensors of ${from}${list('new', reinitialised)}${list('not used', unused)}`;
}
