import type { Layout } from '../layout/Layout.ts';
import type { SlotLayout } from '../layout/slotLayout.ts';

/**
 * The data of a checkpoint are sections: section 0 is the parameters, section k the optimizer slot k-1, each with the tensors in the order of the flat
 * vector. `names` are those under which they are saved.
 */
export interface Section {
  readonly names: readonly string[];
  readonly layout: Layout;
}

export function sectionsOf(layout: Layout, slots: readonly SlotLayout[]): Section[] {
  const names = layout.tensors.map(({ name }) => name);
  return [
    { names, layout },
    ...slots.map((slot) => ({
      names: names.map((name) => `${slotPrefix}${slot.name}/${name}`),
      layout: slot.layout,
    })),
  ];
}

/** What the names of all optimizer slots begin with. */
export const slotPrefix = 'optimizer/';

/** Where an element of a section is in the file, in bytes from its begin. */
export function byteOffset(
  headerBytes: number,
  sections: readonly Section[],
  section: number,
  element: number,
): number {
  const before = sections.slice(0, section).reduce((sum, { layout }) => sum + layout.length, 0);
  return headerBytes + (before + element) * 4;
}
