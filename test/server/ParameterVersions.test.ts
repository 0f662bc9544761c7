import { ParameterVersions, type Version } from '@tributary/server/shard/ParameterVersions.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('whatever is held never changes, under any interleaving of readers and updates', () => {
  const actions = fc.array(
    fc.oneof(fc.constant('update'), fc.constant('current'), fc.constant('previous'), fc.nat(9)),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(actions, (given) => {
      const versions = new ParameterVersions(Float32Array.of(0, 0), 0);
      const held: Version[] = [];
      let count = 0;
      for (const action of given) {
        if (action === 'update') {
          count++;
          versions.advance(count, (out, current) => {
            expect(out).not.toBe(current);
            out.set(current.map((value) => value + 1));
          });
        } else if (typeof action === 'number') {
          const [version] = held.splice(action % Math.max(1, held.length), 1);
          if (version !== undefined) versions.release(version);
        } else {
          const version = versions[action];
          if (version !== undefined) held.push(versions.hold(version));
        }
        for (const { values, number } of [...held, versions.current])
          expect(values).toEqual(Float32Array.of(number, number));
        if (count > 0)
          expect(versions.previous).toMatchObject({
            number: count - 1,
            values: Float32Array.of(count - 1, count - 1),
          });
      }
    }),
  );
});

test('without readers two buffers are all there ever is', () => {
  const versions = new ParameterVersions(new Float32Array(1), 0);
  const buffers = new Set([versions.current.values]);
  for (let number = 1; number < 10; number++) {
    versions.advance(number, () => {});
    buffers.add(versions.current.values);
  }
  expect(buffers.size).toBe(2);
});
