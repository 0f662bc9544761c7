import type { Layout } from './Layout.ts';

/** Where two layouts part, and what each has there, for people; undefined if all names and shapes are the same. */
export function firstDifference(
  found: Layout,
  expected: Layout,
): { readonly index: number; readonly found: string; readonly expected: string } | undefined {
  const length = Math.max(found.tensors.length, expected.tensors.length);
  for (let index = 0; index < length; index++) {
    const [a, b] = [describe(found, index), describe(expected, index)];
    if (a !== b) return { index, found: a, expected: b };
  }
  return undefined;
}

function describe({ tensors }: Layout, index: number): string {
  const tensor = tensors[index];
  return tensor === undefined ? 'nothing' : `"${tensor.name}" [${tensor.shape.join(', ')}]`;
}
