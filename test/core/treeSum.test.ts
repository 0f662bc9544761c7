import { createSimdKernels } from '@tributary/core/kernels/simdKernels.ts';
import { addInto, type SumVectors, TreeSum } from '@tributary/core/reduction/TreeSum.ts';
import { coveringNodes, type RankRange, splitPoint } from '@tributary/core/reduction/tree.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { caught } from './caught.ts';
import { randomVector } from './randomVector.ts';

/** A SIMD register, and one element more. */
const length = 5;

interface Contribution {
  readonly values: Float32Array;
  readonly weight: number;
  readonly loss: number;
}

/** The definition: each node is left + right in float32, and ranks of weight 0 are not there. */
function sumOfNode(node: RankRange, leaves: readonly Contribution[]): Contribution {
  if (node.end - node.begin === 1) return leaves[node.begin];
  const middle = splitPoint(node);
  const left = sumOfNode({ begin: node.begin, end: middle }, leaves);
  const right = sumOfNode({ begin: middle, end: node.end }, leaves);
  const values = left.weight === 0 ? right.values : left.values.slice();
  if (left.weight !== 0 && right.weight !== 0) addInto(values, right.values);
  return { values, weight: left.weight + right.weight, loss: left.loss + right.loss };
}

function leavesOf(ranks: number, skipped: ReadonlySet<number>): Contribution[] {
  return Array.from({ length: ranks }, (_, rank) => {
    const values = randomVector(rank, length);
    return skipped.has(rank)
      ? { values: new Float32Array(), weight: 0, loss: 0 }
      : { values, weight: rank + 1, loss: values[0] / 3 };
  });
}

const bits = (values: Float32Array | undefined) =>
  values && Array.from(new Uint32Array(values.slice().buffer));

/** Ranks dealt out to workers, some that skip, nodes sent twice, and all of it in any order. */
const arrivals = fc.integer({ min: 1, max: 17 }).chain((ranks) =>
  fc
    .record({
      owners: fc.array(fc.nat(3), { minLength: ranks, maxLength: ranks }),
      // A second dealing out: ranks that moved in the middle of the step.
      laterOwners: fc.array(fc.nat(3), { minLength: ranks, maxLength: ranks }),
      skipped: fc.array(fc.nat(ranks - 1), { maxLength: 3 }),
    })
    .chain(({ owners, laterOwners, skipped }) => {
      const held = (dealt: number[], owner: number) =>
        [...dealt.keys()].filter((rank) => dealt[rank] === owner);
      const nodes = [owners, laterOwners].flatMap((dealt) =>
        [0, 1, 2, 3].flatMap((owner) => coveringNodes(held(dealt, owner), ranks)),
      );
      return fc.record({
        ranks: fc.constant(ranks),
        skipped: fc.constant(new Set(skipped)),
        nodes: fc.shuffledSubarray(nodes, { minLength: nodes.length }),
      });
    }),
);

const kernels = createSimdKernels();

test.each<[string, Pick<SumVectors, 'add'>]>([
  ['by plain loops', { add: addInto }],
  ['by SIMD kernels', kernels],
])('any grouping of ranks in any order of arrival gives the same bits: %s', (_how, { add }) => {
  fc.assert(
    fc.property(arrivals, ({ ranks, skipped, nodes }) => {
      const leaves = leavesOf(ranks, skipped);
      const expected = sumOfNode({ begin: 0, end: ranks }, leaves);
      // What goes in comes out as the total, is freed once or is a duplicate, and what is freed is not looked at again.
      const inside = new Set<Float32Array>();
      const free = (vector: Float32Array) => {
        expect(inside.delete(vector)).toBe(true);
        vector.fill(Number.NaN);
      };
      const sum = new TreeSum(ranks, length, { add, free });
      // Twice, as nothing of a step may be left in the next.
      for (let step = 0; step < 2; step++) {
        let completed = 0;
        for (const node of nodes) {
          const { values, weight, loss } = sumOfNode(node, leaves);
          const given = kernels.allocate(values.length);
          given.set(values);
          if (weight > 0) inside.add(given);
          const outcome = sum.add(node, given, weight, loss, 2 * loss);
          if (outcome === 'complete') completed++;
          if (outcome === 'duplicate') inside.delete(given);
        }
        expect(completed).toBe(1);
        const total = sum.take();
        expect(bits(total.values)).toEqual(expected.weight === 0 ? undefined : bits(expected.values));
        expect([total.weight, total.loss, total.squares]).toEqual([
          expected.weight,
          expected.loss,
          2 * expected.loss,
        ]);
        expect([...inside]).toEqual(total.values === undefined ? [] : [total.values]);
        inside.clear();
        expect(sum.complete).toBe(false);
      }
    }),
    { numRuns: 500, seed: 4 },
  );
});

test('the order in which ranks are added matters: the tree is what makes the sum one', () => {
  const values = [1e8, 1, -1e8, 1].map((value) => Float32Array.of(value));
  const leftToRight = values.reduce((sum, next) => Float32Array.of(sum[0] + next[0]));
  const sum = new TreeSum(4, 1);
  for (const rank of [3, 1, 2, 0]) sum.add({ begin: rank, end: rank + 1 }, values[rank], 1, 0);
  expect(sum.total().values).toEqual(Float32Array.of(0));
  expect(leftToRight[0]).toBe(1);
});

test('a node says what became of it', () => {
  const sum = new TreeSum(4, 1);
  const one = Float32Array.of(1);
  const node = (begin: number, end: number) => ({ begin, end });
  expect(sum.add(node(0, 1), one, 1, 0)).toBe('kept');
  expect(sum.add(node(0, 1), one, 1, 0)).toBe('duplicate');
  expect(sum.add(node(1, 2), one, 1, 0)).toBe('kept');
  // Both are in the sum of [0, 2) by now.
  expect(sum.add(node(1, 2), one, 1, 0)).toBe('duplicate');
  expect(sum.add(node(0, 2), one, 2, 0)).toBe('duplicate');
  expect(sum.add(node(3, 4), one, 1, 0)).toBe('kept');
  // Takes the place of [3, 4).
  expect(sum.add(node(2, 4), Float32Array.of(2), 2, 0)).toBe('complete');
  expect(sum.total()).toMatchObject({ values: Float32Array.of(4), weight: 4 });
  expect(sum.add(node(0, 4), one, 4, 0)).toBe('duplicate');
});

test('a step that every rank skips has no values', () => {
  const sum = new TreeSum(2, 3);
  sum.add({ begin: 0, end: 1 }, new Float32Array(), 0, 0);
  expect(sum.add({ begin: 1, end: 2 }, new Float32Array(), 0, 0)).toBe('complete');
  expect(sum.total()).toMatchObject({ values: undefined, weight: 0, loss: 0 });
});

test('what is no node or has another length is refused and changes nothing', () => {
  const sum = new TreeSum(4, 2);
  const refused = (begin: number, end: number, elements = 2) =>
    caught(() => sum.add({ begin, end }, new Float32Array(elements), 1, 0));
  expect(refused(1, 3)).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(refused(1, 3).message).toBe('ranks [1, 3) are no node of the tree over 4 ranks');
  expect(refused(4, 5).code).toBe('INVALID_ARGUMENT');
  expect(refused(0, 0).code).toBe('INVALID_ARGUMENT');
  expect(refused(0, 1, 3).message).toBe('the gradient has 3 elements instead of 2');
  expect(sum.add({ begin: 0, end: 4 }, Float32Array.of(1, 2), 1, 0)).toBe('complete');
});

test('there is no total before all ranks are in', () => {
  const sum = new TreeSum(2, 1);
  sum.add({ begin: 0, end: 1 }, Float32Array.of(1), 1, 0);
  expect(() => sum.total()).toThrow('broken invariant');
});
