/**
 * The fixed binary tree over the ranks 0..V-1.
 *
 * Floating-point addition is not associative, so "the sum over ranks" means nothing until an order is fixed. We fix one that
 * does not depend on who computes what: the node [begin, end) is the sum of its two halves, cut at the largest power
 * of two below its size. A worker adds the subtrees that it holds whole; a server adds the rest. Any grouping of ranks on workers
 * gives the same bits. (A left-to-right sum would be as fixed, but no worker could add anything beforehand.)
 */
export interface RankRange {
  readonly begin: number;
  readonly end: number;
}

/** Where the node [begin, end) is cut in two: after the largest power of two below its size. */
export function splitPoint({ begin, end }: RankRange): number {
  const size = end - begin;
  return begin + 2 ** (31 - Math.clz32(size - 1));
}

/** True if [begin, end) is a node of the tree over `ranks` ranks. */
export function isNode(node: RankRange, ranks: number): boolean {
  let current: RankRange = { begin: 0, end: ranks };
  while (node.begin >= current.begin && node.end <= current.end && node.begin < node.end) {
    if (current.begin === node.begin && current.end === node.end) return true;
    if (current.end - current.begin === 1) return false;
    const middle = splitPoint(current);
    current =
      node.begin < middle ? { begin: current.begin, end: middle } : { begin: middle, end: current.end };
  }
  return false;
}

/** The fewest tree nodes that together cover exactly the given ranks, in order. */
export function coveringNodes(held: Iterable<number>, ranks: number): RankRange[] {
  const has = new Set(held);
  const nodes: RankRange[] = [];
  const visit = (node: RankRange): boolean => {
    if (node.end - node.begin === 1) {
      if (has.has(node.begin)) nodes.push(node);
      return has.has(node.begin);
    }
    const middle = splitPoint(node);
    const mark = nodes.length;
    const left = visit({ begin: node.begin, end: middle });
    const right = visit({ begin: middle, end: node.end });
    if (left && right) nodes.splice(mark, nodes.length - mark, node);
    return left && right;
  };
  if (ranks > 0) visit({ begin: 0, end: ranks });
  return nodes;
}
