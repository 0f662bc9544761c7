import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { listNames } from '@tributary/core/layout/namePattern.ts';
import {
  type Transfer,
  type TransferRules,
  transferParameters,
} from '@tributary/core/transfer/transferParameters.ts';
import type { LoadedParameters } from './loadParameters.ts';

/**
 * `initial` with what was loaded in its place. Throws FAILED_PRECONDITION with every tensor that is missing or of another shape, and what lay there unused;
 * INVALID_ARGUMENT for patterns that match nothing.
 */
export function takeParameters(
  model: Layout,
  initial: Float32Array,
  loaded: LoadedParameters,
  { rules = {}, hint }: { readonly rules?: TransferRules; readonly hint: string },
): Transfer {
  const transfer = transferParameters(model, initial, loaded, rules);
  const { differences, unused } = transfer;
  if (differences.length === 0) return transfer;
  const left = unused.length === 0 ? '' : `; not used: ${listNames(unused)}`;
  throw new TributaryError(
    'FAILED_PRECONDITION',
    `${loaded.description} does not fit the model: ${listNames(differences, '; ')}${left}`,
    { hint },
  );
}

export const rulesHint =
  '`map` says how tensors are called there, `transpose` which to turn, `reinitialise` which to begin anew.';
