import { addInto } from '@tributary/core/reduction/TreeSum.ts';
import { type RankRange, splitPoint } from '@tributary/core/reduction/tree.ts';
import { expect, test } from 'vitest';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from './testCluster.ts';

const vectorOf = (rank: number, round: number, length: number) => gradientOf(rank, round + 5, length);

/** The sum of a node, added along the tree: what a worker that holds all its ranks contributes. */
function nodeSum(node: RankRange, round: number, length: number): Float32Array {
  if (node.end - node.begin === 1) return vectorOf(node.begin, round, length);
  const middle = splitPoint(node);
  const sum = nodeSum({ begin: node.begin, end: middle }, round, length);
  addInto(sum, nodeSum({ begin: middle, end: node.end }, round, length));
  return sum;
}

/** The contribution of some ranks to a sum of vectors of `length` elements; two examples a rank. */
function partOf(
  ranks: RankRange,
  round: number,
  length: number,
  change: { step?: number; token?: number } = {},
) {
  const count = ranks.end - ranks.begin;
  return {
    ranks,
    step: change.step ?? 0,
    round,
    tokens: new Array<number>(count).fill(change.token ?? 1),
    weight: 2 * count,
    loss: 0.1 * count,
    values: nodeSum(ranks, round, length),
  };
}

const nodes = (...bounds: [number, number][]) => bounds.map(([begin, end]) => ({ begin, end }));
const groupings = [
  nodes([0, 5]),
  nodes([0, 4], [4, 5]),
  nodes([0, 2], [2, 4], [4, 5]),
  nodes([4, 5], [3, 4], [2, 3], [1, 2], [0, 1]),
];

test.each([1, 2, 3])('on %i servers any grouping of ranks gets the same bits', async (servers) => {
  const cluster = await TestCluster.start(testSpec({ ranks: 5 }), servers);
  // Longer than the parameters, as long, in one block, one element, none: each cut over the servers anew.
  const lengths = [9000, 2500, 1024, 1, 0];
  for (const [index, length] of lengths.entries()) {
    const expected = nodeSum({ begin: 0, end: 5 }, index, length);
    for (const [number, grouping] of groupings.entries()) {
      const round = index * groupings.length + number;
      const totals = await Promise.all(
        grouping.map(async (node) => {
          const into = new Float32Array(length);
          const part = { ...partOf(node, index, length), round };
          const result = await cluster.client().reduce(part, into);
          expect(result).toMatchObject({ outcome: 'summed', weight: 10 });
          expect(result).toHaveProperty('loss', expect.closeTo(0.5, 12));
          return into;
        }),
      );
      expect(totals.every((total) => sameBits(total, expected))).toBe(true);
    }
  }
});

test('a rank that moved to another worker does the step again and gets what all others got', async () => {
  const cluster = await TestCluster.start(testSpec({ ranks: 2 }), 2);
  const [first, second] = [cluster.client(), cluster.client()];
  const length = 3000;
  const into = () => new Float32Array(length);
  const reduceBoth = async (round: number) => {
    const vectors = [into(), into()];
    await Promise.all([
      first.reduce(partOf({ begin: 0, end: 1 }, round, length), vectors[0]),
      second.reduce(partOf({ begin: 1, end: 2 }, round, length), vectors[1]),
    ]);
    return vectors[0];
  };
  const done = [await reduceBoth(0), await reduceBoth(1)];

  // In the middle of round 2 rank 1 comes to the first worker, which begins the step again with both.
  const both = { begin: 0, end: 2 };
  await second.reduce(partOf({ begin: 1, end: 2 }, 2, length), undefined);
  for (const [round, expected] of [...done, nodeSum(both, 2, length)].entries()) {
    const again = into();
    expect(await first.reduce(partOf(both, round, length, { token: 2 }), again)).toMatchObject({
      outcome: 'summed',
      weight: 4,
    });
    expect(sameBits(again, expected)).toBe(true);
  }
  // What the old worker still says is not heard.
  expect(await second.reduce(partOf({ begin: 1, end: 2 }, 3, length), into())).toEqual({
    outcome: 'fenced',
    reason: 'the lease on rank 1 is lost: token 1 came after token 2',
  });
});

test('totals are kept when the step closes on this shard, and go with the first sum of the next', async () => {
  const spec = testSpec({ ranks: 1 });
  const cluster = await TestCluster.start(spec, 1);
  const client = cluster.client();
  const node = { begin: 0, end: 1 };
  const into = new Float32Array(7);
  await client.reduce(partOf(node, 0, 7), into);
  await client.push(pushOf(0, 0, new Float32Array(spec.layout.length)));
  expect(await client.reduce(partOf(node, 0, 7), into)).toMatchObject({ outcome: 'summed' });

  await client.reduce(partOf(node, 0, 7, { step: 1 }), into);
  await expect(client.reduce(partOf(node, 0, 7), into)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('the sums of step 0 are gone; the ranks are at step 1'),
  });
});

test('infinities and NaN are summed as they are', async () => {
  const cluster = await TestCluster.start(testSpec({ ranks: 2 }), 1);
  const client = cluster.client();
  const part = (rank: number, value: number, loss: number) => ({
    ...partOf({ begin: rank, end: rank + 1 }, 0, 1),
    values: Float32Array.of(value),
    loss,
  });
  const into = new Float32Array(1);
  await client.reduce(part(0, Number.NaN, Number.POSITIVE_INFINITY), undefined);
  expect(await client.reduce(part(1, 1, 1), into)).toEqual({
    outcome: 'summed',
    weight: 4,
    loss: Number.POSITIVE_INFINITY,
  });
  expect(into[0]).toBeNaN();
});

test('a wait ends when the caller gives up, or when the shard is given up', async () => {
  const cluster = await TestCluster.start(testSpec({ ranks: 2 }), 1);
  const part = partOf({ begin: 0, end: 1 }, 0, 10);
  const giveUp = new AbortController();
  const givenUp = expect(
    cluster.client().reduce(part, new Float32Array(10), { signal: giveUp.signal }),
  ).rejects.toMatchObject({ code: 'CANCELLED' });
  // The same node once more, which does not wait, is answered behind it.
  await cluster.client().reduce(part, undefined);
  giveUp.abort();
  await givenUp;

  const refused = expect(cluster.client().reduce(part, new Float32Array(10))).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('generation'),
  });
  await cluster.client().reduce(part, undefined);
  await cluster.place(2, cluster.placement.checkpoint);
  await refused;
});

test.each([
  ['no node', { ranks: { begin: 1, end: 3 }, tokens: [1, 1] }, 'INVALID_ARGUMENT', 'are no node'],
  ['tokens missing', { tokens: [] }, 'INVALID_ARGUMENT', '0 fencing tokens came'],
  ['no weight', { weight: 0 }, 'INVALID_ARGUMENT', 'the weight is 0'],
  ['another length', { values: new Float32Array(4) }, 'INVALID_ARGUMENT', 'has 5 elements here, not 4'],
  ['a step to come', { step: 1 }, 'FAILED_PRECONDITION', 'cannot have begun step 1'],
  ['a step beyond the end', { step: 100 }, 'FAILED_PRECONDITION', 'it stops at step 100'],
])('%s is refused and changes nothing', async (_, change, code, message) => {
  const cluster = await TestCluster.start(testSpec({ ranks: 4 }), 1);
  const client = cluster.client();
  await client.reduce(partOf({ begin: 0, end: 2 }, 0, 5), undefined);
  await expect(
    client.reduce({ ...partOf({ begin: 2, end: 3 }, 0, 5), ...change }, undefined),
  ).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  const into = new Float32Array(5);
  await client.reduce(partOf({ begin: 2, end: 4 }, 0, 5), into);
  expect(sameBits(into, nodeSum({ begin: 0, end: 4 }, 0, 5))).toBe(true);
});

test('an asynchronous job has no sums over its ranks', async () => {
  const cluster = await TestCluster.start(testSpec({ ranks: 1, staleness: 1 }), 1);
  await expect(
    cluster.client().reduce(partOf({ begin: 0, end: 1 }, 0, 1), new Float32Array(1)),
  ).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('asynchronous job'),
  });
});
