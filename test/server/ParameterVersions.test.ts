import { ParameterVersions, type Version } from '@tributary/server/shard/ParameterVersions.ts';
import { VectorPool } from '@tributary/server/shard/VectorPool.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('whatever is held never changes, under any interleaving of readers and updates, and every vector comes back once', () => {
  const actions = fc.array(fc.oneof(fc.constantFrom('update', 'current', 'previous', 'forget'), fc.nat(9)), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(actions, (given) => {
      const pool = new VectorPool(() => new Float32Array(2));
      const versions = new ParameterVersions(pool.take(), 0, (vector) => {
        // A vector in the pool is anybody's.
        vector.fill(Number.NaN);
        pool.give(vector);
      });
      const held: Version[] = [];
      let count = 0;
      let previous: number | undefined;
      for (const action of given) {
        if (action === 'update') {
          previous = count++;
          const next = pool.take();
          expect(held.map(({ values }) => values)).not.toContain(next);
          versions.advance(count, next.fill(count));
        } else if (action === 'forget') {
          versions.forgetPrevious();
          previous = undefined;
        } else if (typeof action === 'number') {
          const [version] = held.splice(action % Math.max(1, held.length), 1);
          if (version !== undefined) versions.release(version);
        } else {
          const version = versions[action];
          if (version !== undefined) held.push(versions.hold(version));
        }
        for (const { values, number } of [...held, versions.current])
          expect(values).toEqual(Float32Array.of(number, number));
        expect(versions.previous?.number).toBe(previous);
        expect(versions.previous?.values[0]).toBe(previous);
      }
    }),
  );
});

test('without readers two vectors are all there ever is', () => {
  const pool = new VectorPool(() => new Float32Array(1));
  const versions = new ParameterVersions(pool.take(), 0, (vector) => pool.give(vector));
  const vectors = new Set([versions.current.values]);
  for (let number = 1; number < 10; number++) {
    // As a shard does: when the first gradient of a step comes, the step before is over.
    versions.forgetPrevious();
    versions.advance(number, pool.take());
    vectors.add(versions.current.values);
  }
  expect(vectors.size).toBe(2);
});
