import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { firstMatch, requireMatches } from '@tributary/core/layout/namePattern.ts';
import type { TensorOptions } from '@tributary/core/layout/segments.ts';

/** In a job file: how the tensors of these names are trained otherwise than the rest. */
export interface TensorRule {
  /** Names, or patterns of names, in which `*` stands for any text, slashes included. */
  match: string | readonly string[];
  /** They stay as they are, are neither pushed nor pulled again, and cost no update. */
  frozen?: boolean;
  /** The first step that trains them; before it they are frozen. */
  frozenUntil?: number;
  /** Their learning rate is that of the others times this; above 0. */
  learningRateScale?: number;
  /** False: the optimizer's weight decay leaves them out. */
  weightDecay?: boolean;
}

/** The rules tensor by tensor, a later rule overruling an earlier one. Throws INVALID_ARGUMENT for a pattern that matches nothing, and if nothing is trained. */
export function resolveTensors(rules: readonly TensorRule[], layout: Layout): TensorOptions[] {
  const names = layout.tensors.map(({ name }) => name);
  requireMatches('tensors', rules.flatMap(patternsOf), names);
  const resolved = names.flatMap((name) => {
    const options: TensorOptions = { name };
    for (const rule of rules) {
      if (firstMatch(patternsOf(rule), name) !== undefined) Object.assign(options, optionsOf(rule));
    }
    return Object.keys(options).length > 1 ? [options] : [];
  });
  const frozen = resolved.filter(({ frozenUntil }) => frozenUntil === null);
  if (frozen.length === names.length && names.length > 0) {
    throw new TributaryError('INVALID_ARGUMENT', 'tensors: all parameters of the model are frozen', {
      hint: 'Leave one out of the patterns: a later rule with frozen: false overrules an earlier one.',
    });
  }
  return resolved;
}

function patternsOf({ match }: TensorRule): readonly string[] {
  return typeof match === 'string' ? [match] : match;
}

function optionsOf({
  frozen,
  frozenUntil,
  learningRateScale,
  weightDecay,
}: TensorRule): Omit<TensorOptions, 'name'> {
  return {
    ...(frozen !== undefined && { frozenUntil: frozen ? null : 0 }),
    ...(frozenUntil !== undefined && { frozenUntil }),
    ...(learningRateScale !== undefined && { learningRateScale }),
    ...(weightDecay !== undefined && { weightDecay }),
  };
}
