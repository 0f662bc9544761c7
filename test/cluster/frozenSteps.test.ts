import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { expect, test } from 'vitest';
import { jobFile, temporaryFolder, train } from './tributary.ts';

/* Methods that compute whole steps step in what is not frozen: as in a model that has nothing else. */

const job = jobFile('frozenLogistic');

test.each(['newton', 'newton-cg', 'lbfgs', 'quantum'])(
  '%s with frozen weights goes the way of the model without them',
  {
    timeout: 120_000,
  },
  async (method) => {
    const trained = async (flags: readonly string[]) => {
      const summary = await train([
        job,
        '--method',
        method,
        '--runs',
        temporaryFolder(),
        '--no-self-check',
        ...flags,
      ]);
      const { layout, flat } = decodeSafetensors(readFileSync(summary.checkpoint));
      const of = (name: string) => {
        const { offset, length } = layout.tensors.find((tensor) => tensor.name === name)!;
        return [...flat.subarray(offset, offset + length)];
      };
      return { summary, of };
    };
    const frozen = await trained(['--workers', '3', '--servers', '2']);
    const without = await trained(['--frozen', 'false']);
    expect(frozen.of('b')).toEqual(new Array(6).fill(0));
    for (const name of ['a', 'c']) {
      const expected = without.of(name);
      expect(Math.max(...frozen.of(name).map((w, i) => Math.abs(w - expected[i])))).toBeLessThan(2e-4);
    }
    expect(Math.abs(frozen.summary.loss - without.summary.loss)).toBeLessThan(1e-6);
    // Frozen weights travel neither in sums nor in steps, and there is no state for them.
    const alone = await trained(['--workers', '2', '--servers', '1']);
    expect(alone.summary.parametersSha256).toBe(frozen.summary.parametersSha256);
    expect(alone.summary.pushedBytes).toBe(without.summary.pushedBytes);
  },
);
