import type { Range } from '../partition/partition.ts';
import type { Layout } from './Layout.ts';

/** Where a state vector of the optimizer has the state of each tensor: the tensors of the parameters, in their order, each in a shape that may be another. */
export interface SlotLayout {
  readonly name: string;
  readonly layout: Layout;
}

/** The slot with an average of the parameters, where there is one: it is what is evaluated and kept in their place. */
export const averageSlot = 'average';

/** The slot with the sum of the gradients of steps that have not made their update yet, where there is one. */
export const accumulatedSlot = 'accumulated';

/** The part of a slot that goes with this range of the parameters, which cuts no tensor if the slot lies otherwise than they do. */
export function rangeInSlot(layout: Layout, slot: Layout, { begin, end }: Range): Range {
  if (slot === layout) return { begin, end };
  const placeOf = (element: number) => {
    const index = layout.tensors.findIndex(({ offset }) => offset >= element);
    return index < 0 ? slot.length : slot.tensors[index].offset;
  };
  return { begin: placeOf(begin), end: placeOf(end) };
}
