import { invariant } from '../errors/invariant.ts';
import { TributaryError } from '../errors/TributaryError.ts';
import { isNode, type RankRange, splitPoint } from './tree.ts';

/** `kept`: the step goes on. `duplicate`: these ranks are in already, nothing changed. `complete`: all ranks are in. */
export type TreeSumOutcome = 'kept' | 'duplicate' | 'complete';

export interface Total {
  /** Sum over ranks of (examples * mean gradient). Undefined if every rank skipped the step. */
  readonly values: Float32Array | undefined;
  /** Examples. */
  readonly weight: number;
  /** Sum over ranks of (examples * mean loss). */
  readonly loss: number;
  /** Sum over ranks of (examples * squared norm of the mean gradient), where it is given. */
  readonly squares: number;
}

/** How sums are made, and what becomes of vectors that are added into another: plain loops and left to the garbage collector, if not given. */
export interface SumVectors {
  add(target: Float32Array, source: Float32Array): unknown;
  free(vector: Float32Array): void;
}

const onTheHeap: SumVectors = { add: addInto, free: () => {} };

interface Kept extends Total {
  readonly node: RankRange;
}

/**
 * The server's half of the reduction tree (see tree.ts): takes nodes as they come and adds siblings as soon as both are there. As each sum is
 * that of one node of the tree, its bits do not depend on the order of arrival or on who added what.
 *
 * Ranks that move between workers in the middle of a step may arrive twice in different groups: {2} from the old worker, {2, 3} from the
 * new one. A sum cannot be taken apart, but the values of a rank at a step are always the same, so the greater node simply replaces what lies
 * below it, and a node that lies within a kept one is a duplicate.
 */
export class TreeSum {
  readonly #ranks: number;
  readonly #length: number;
  readonly #vectors: SumVectors;
  /** Disjoint nodes, by first rank; no two are siblings. */
  readonly #kept = new Map<number, Kept>();

  /** For `ranks` ranks with gradients of `length` elements. */
  constructor(ranks: number, length: number, vectors: SumVectors = onTheHeap) {
    invariant(ranks >= 1, 'a reduction tree has at least one rank');
    this.#ranks = ranks;
    this.#length = length;
    this.#vectors = vectors;
  }

  /**
   * Adds the sum of one node of the tree; unless it is a duplicate, `values` belongs to the tree from then on. A weight of 0 says that the ranks skip the
   * step: `values` is not looked at. Throws INVALID_ARGUMENT, changing nothing, if the range is no node of the tree or the length is wrong.
   */
  add(node: RankRange, values: Float32Array, weight: number, loss: number, squares = 0): TreeSumOutcome {
    if (!isNode(node, this.#ranks)) {
      throw new TributaryError(
        'INVALID_ARGUMENT',
        `ranks [${node.begin}, ${node.end}) are no node of the tree over ${this.#ranks} ranks`,
      );
    }
    if (weight !== 0 && values.length !== this.#length) {
      throw new TributaryError(
        'INVALID_ARGUMENT',
        `the gradient has ${values.length} elements instead of ${this.#length}`,
      );
    }
    if (this.#covers(node)) return 'duplicate';
    this.#dropWithin(node);
    this.#place({ node, values: weight === 0 ? undefined : values, weight, loss, squares });
    return this.complete ? 'complete' : 'kept';
  }

  /** Are all ranks in? */
  get complete(): boolean {
    return this.#kept.get(0)?.node.end === this.#ranks;
  }

  /** Only once complete. */
  total(): Total {
    const root = this.#kept.get(0);
    invariant(root !== undefined && root.node.end === this.#ranks, 'the total of an incomplete sum');
    return root;
  }

  /** Hands the total out, vector and all, and is empty for the next step. */
  take(): Total {
    const total = this.total();
    this.#kept.clear();
    return total;
  }

  /** Hands out what is in, complete or not, as the fewest nodes, and is empty for the next step. */
  takeParts(): (Total & { readonly node: RankRange })[] {
    const parts = [...this.#kept.values()];
    this.#kept.clear();
    return parts;
  }

  #covers(node: RankRange): boolean {
    for (const { node: kept } of this.#kept.values()) {
      if (kept.begin <= node.begin && kept.end >= node.end) return true;
    }
    return false;
  }

  #dropWithin(node: RankRange): void {
    for (const [begin, partial] of this.#kept) {
      if (begin >= node.begin && begin < node.end) {
        this.#release(partial);
        this.#kept.delete(begin);
      }
    }
  }

  /** Keeps the node, or the greatest node that it completes. */
  #place(arrived: Kept): void {
    let current = arrived;
    for (;;) {
      const parent = parentOf(current.node, this.#ranks);
      const sibling = parent && this.#sibling(current.node, parent);
      if (!parent || !sibling) break;
      this.#kept.delete(sibling.node.begin);
      current = this.#join(sibling, current, parent);
    }
    this.#kept.set(current.node.begin, current);
  }

  #sibling(node: RankRange, parent: RankRange): Kept | undefined {
    const begin = node.begin === parent.begin ? node.end : parent.begin;
    const end = node.begin === parent.begin ? parent.end : node.begin;
    const kept = this.#kept.get(begin);
    return kept?.node.end === end ? kept : undefined;
  }

  /** Into the vector of `kept`, if it has one. Ranks that skip a step add nothing, which is not the same as adding zeros: -0 + 0 is 0. */
  #join(kept: Kept, arrived: Kept, node: RankRange): Kept {
    if (kept.values !== undefined && arrived.values !== undefined) {
      this.#vectors.add(kept.values, arrived.values);
      this.#release(arrived);
    }
    return {
      node,
      values: kept.values ?? arrived.values,
      weight: kept.weight + arrived.weight,
      loss: kept.loss + arrived.loss,
      squares: kept.squares + arrived.squares,
    };
  }

  #release({ values }: Kept): void {
    if (values !== undefined) this.#vectors.free(values);
  }
}

/** target <- target + source, element by element. Addition commutes, so it does not matter which of the two is the left sibling. */
export function addInto(target: Float32Array, source: Float32Array): void {
  for (let index = 0; index < target.length; index++) target[index] += source[index];
}

function parentOf(node: RankRange, ranks: number): RankRange | undefined {
  let parent: RankRange | undefined;
  let current: RankRange = { begin: 0, end: ranks };
  while (current.begin !== node.begin || current.end !== node.end) {
    parent = current;
    const middle = splitPoint(current);
    current =
      node.begin < middle ? { begin: current.begin, end: middle } : { begin: middle, end: current.end };
  }
  return parent;
}
