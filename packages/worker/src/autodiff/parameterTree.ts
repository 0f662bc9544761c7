import { type numpy as np, tree } from '@jax-js/jax';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { ParameterTree } from '../job/Model.ts';

/** The nesting of a parameter tree without its arrays. */
export type TreeStructure = tree.JsTreeDef;

/** A tree taken apart: leaf i is named `names[i]`. */
export interface FlatTree {
  /** Path of each leaf, parts joined by a slash: `dense1/w`, `layers/0/b`. A tree that is one array has the name `parameters`. */
  readonly names: readonly string[];
  readonly leaves: readonly np.Array[];
  readonly structure: TreeStructure;
}

/**
 * Takes a tree apart in the order in which its keys were inserted (arrays by index), the order of `tree.flatten` in jax-js.
 * The leaves stay owned by the tree.
 */
export function flattenTree(parameters: ParameterTree): FlatTree {
  const [leaves, structure] = tree.flatten<np.Array>(parameters as np.Array);
  const names = leafNames(structure);
  leaves.forEach((leaf: unknown, index) => {
    if (!isArray(leaf)) {
      throw new TributaryError(
        'INVALID_ARGUMENT',
        `parameter "${names[index]}" is ${describe(leaf)}, not an array`,
        {
          hint: 'Every leaf of the parameter tree must be a jax array; keep settings outside the tree.',
        },
      );
    }
  });
  return { names, leaves, structure };
}

/** The inverse of `flattenTree`: takes over the leaves. */
export function unflattenTree(structure: TreeStructure, leaves: readonly np.Array[]): ParameterTree {
  return tree.unflatten<np.Array>(structure, leaves) as ParameterTree;
}

/** The path of each leaf, in flattening order. */
export function leafNames(structure: TreeStructure): string[] {
  const names: string[] = [];
  const visit = (node: TreeStructure, path: string): void => {
    if (String(node.nodeType) === 'Leaf') {
      names.push(path === '' ? 'parameters' : path);
      return;
    }
    const keys: readonly (string | number)[] = node.nodeMetadata ?? [...node.childTreedefs.keys()];
    node.childTreedefs.forEach((child, index) => {
      visit(child, path === '' ? String(keys[index]) : `${path}/${keys[index]}`);
    });
  };
  visit(structure, '');
  return names;
}

/** Real arrays and the tracers that stand for them while a function is traced. */
function isArray(leaf: unknown): leaf is np.Array {
  return typeof leaf === 'object' && leaf !== null && 'aval' in leaf && 'ref' in leaf;
}

function describe(leaf: unknown): string {
  if (leaf === null || leaf === undefined) return String(leaf);
  return typeof leaf === 'object'
    ? `an instance of ${leaf.constructor?.name ?? 'Object'}`
    : `a ${typeof leaf}`;
}
