import { coveringNodes, isNode, splitPoint } from '@tributary/core/reduction/tree.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('a node is cut after the largest power of two below its size', () => {
  const cuts = [2, 3, 4, 5, 8, 9, 16, 17].map((end) => splitPoint({ begin: 0, end }));
  expect(cuts).toEqual([1, 2, 2, 4, 4, 8, 8, 16]);
  expect(splitPoint({ begin: 8, end: 13 })).toBe(12);
});

test('the nodes of a tree over five ranks', () => {
  const nodes: string[] = [];
  for (let begin = 0; begin < 6; begin++) {
    for (let end = 0; end < 7; end++) if (isNode({ begin, end }, 5)) nodes.push(`${begin}-${end}`);
  }
  expect(nodes).toEqual(['0-1', '0-2', '0-4', '0-5', '1-2', '2-3', '2-4', '3-4', '4-5']);
});

test('ranges that are no ranges are no nodes', () => {
  for (const [begin, end] of [
    [-1, 1],
    [1, 1],
    [2, 1],
    [0.5, 1],
    [Number.NaN, 1],
    [0, 9],
  ]) {
    expect(isNode({ begin, end }, 8)).toBe(false);
  }
});

test('covering nodes hold exactly the given ranks, and no two could be one', () => {
  const input = fc
    .integer({ min: 1, max: 40 })
    .chain((ranks) => fc.tuple(fc.constant(ranks), fc.uniqueArray(fc.nat(ranks - 1))));
  fc.assert(
    fc.property(input, ([ranks, held]) => {
      const nodes = coveringNodes(held, ranks);
      const covered = nodes.flatMap(({ begin, end }) =>
        Array.from({ length: end - begin }, (_, index) => begin + index),
      );
      expect(covered).toEqual(held.toSorted((a, b) => a - b));
      for (const node of nodes) expect(isNode(node, ranks)).toBe(true);
      for (let index = 1; index < nodes.length; index++) {
        const joined = { begin: nodes[index - 1].begin, end: nodes[index].end };
        const contiguous = nodes[index - 1].end === nodes[index].begin;
        expect(contiguous && isNode(joined, ranks) && splitPoint(joined) === nodes[index].begin).toBe(false);
      }
    }),
    { numRuns: 300, seed: 2 },
  );
});

test('no ranks, no nodes', () => {
  expect(coveringNodes([], 8)).toEqual([]);
  expect(coveringNodes([], 0)).toEqual([]);
});
