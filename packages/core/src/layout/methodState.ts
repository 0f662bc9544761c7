import { TributaryError } from '../errors/TributaryError.ts';
import { createLayout, type Layout } from './Layout.ts';

/*
 * What a method of the workers keeps between steps (a history, a radius) lies in tensors behind the model's, so that it is pulled, pushed, saved and
 * restored with the parameters, and no worker has a memory of its own.
 */

/** What the names of all such tensors begin with. */
export const methodPrefix = 'method/';

export interface StateTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The model's layout with a method's tensors behind it. Throws INVALID_ARGUMENT if the model uses such a name itself. */
export function withMethodState(model: Layout, state: readonly StateTensor[]): Layout {
  const taken = model.tensors.find(({ name }) => name.startsWith(methodPrefix));
  if (taken !== undefined) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `parameter "${taken.name}" begins with "${methodPrefix}", which is kept for the state of methods`,
      { hint: 'Give that branch of the parameter tree another name.' },
    );
  }
  return createLayout([
    ...model.tensors,
    ...state.map(({ name, shape }) => ({ name: methodPrefix + name, shape })),
  ]);
}

/** The model's part of a layout: the first elements of the flat vector. */
export function withoutMethodState(layout: Layout): Layout {
  return createLayout(layout.tensors.filter(({ name }) => !name.startsWith(methodPrefix)));
}
