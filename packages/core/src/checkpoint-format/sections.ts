import type { Layout } from '../layout/Layout.ts';

/**
 * The data of a checkpoint are sections, each as long as the flat vector and in its order: section 0 is the parameters, section k the
 * optimizer slot k-1. These are the names under which the tensors of each section are saved.
 */
export function sectionNames(layout: Layout, slotNames: readonly string[]): string[][] {
  const names = layout.tensors.map(({ name }) => name);
  return [names, ...slotNames.map((slot) => names.map((name) => `${slotPrefix}${slot}/${name}`))];
}

/** What the names of all optimizer slots begin with. */
export const slotPrefix = 'optimizer/';

/** Where an element of a section is in the file, in bytes from its begin. */
export function byteOffset(headerBytes: number, layout: Layout, section: number, element: number): number {
  return headerBytes + (section * layout.length + element) * 4;
}
