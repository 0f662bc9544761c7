import type { BatchArrays, ParameterTree } from '../job/Model.ts';
import { flattenTree, unflattenTree } from './parameterTree.ts';

/** The same arrays, to be consumed once more. */
export function borrowed(batch: BatchArrays): BatchArrays {
  return Object.fromEntries(Object.entries(batch).map(([field, array]) => [field, array.ref]));
}

/** The same arrays, to be consumed once more. */
export function borrowedTree(parameters: ParameterTree): ParameterTree {
  const { leaves, structure } = flattenTree(parameters);
  return unflattenTree(
    structure,
    leaves.map((leaf) => leaf.ref),
  );
}
