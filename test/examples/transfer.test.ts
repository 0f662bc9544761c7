import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import type { TensorSpec } from '@tributary/core/layout/Layout.ts';
import type { OptionValues } from '@tributary/worker/job/JobOptions.ts';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { evaluateParameters } from '../../packages/cli/src/parameters/evaluateParameters.ts';
import { train } from '../cluster/tributary.ts';
import { type TrainedHere, trainHere } from './trainHere.ts';

/*
 * The comparisons over seeds train in this process: what is compared is what a model learns, and twenty clusters would take longer to start than to train. What they start
 * from, and what travels, is trained by processes, as a user does.
 */

vi.mock(import('@tributary/worker/training/GradientThread.ts'), async () => {
  const { ComputeHere } = await import('./ComputeHere.ts');
  return { GradientThread: ComputeHere } as never;
});

const example = (name: string) =>
  fileURLToPath(new URL(`../../examples/transfer/${name}.ts`, import.meta.url));

describe('what a network learnt of 0 to 4', () => {
  const runs = mkdtempSync(join(tmpdir(), 'tributary-'));
  afterAll(() => rmSync(runs, { recursive: true, force: true }));

  /** Made by the first test that asks. */
  let made: Promise<string> | undefined;
  const pretrained = () => {
    made ??= pretrain();
    return made;
  };
  const pretrain = async () => {
    const { run, accuracy } = await train([example('pretrain'), '--runs', runs]);
    expect(accuracy).toBeGreaterThan(0.96);
    return join(runs, run);
  };

  type Attempt = TrainedHere & { readonly accuracy: number };

  /** Of one draw, which is the seed too. */
  const attempt = async (
    name: string,
    draw: number,
    { startFrom, ...options }: OptionValues & { startFrom?: string } = {},
  ): Promise<Attempt> => {
    const trained = await trainHere(example(name), {
      ...{ seed: draw, options: { draw, ...options } },
      ...(startFrom !== undefined && { startFrom }),
    });
    const { job, shape } = trained.prepared;
    const { accuracy, on } = await evaluateParameters(job, shape, trained.flat, 'auto');
    expect(on).toBe('test');
    return { ...trained, accuracy: accuracy! };
  };

  const mean = (attempts: readonly Attempt[]) =>
    attempts.reduce((sum, { accuracy }) => sum + accuracy, 0) / attempts.length;

  test('helps to learn 5 to 9 from ten images of each: over five seeds it beats a start from nothing at the same budget', {
    timeout: 900_000,
  }, async () => {
    const [tuned, scratch]: Attempt[][] = [[], []];
    for (const draw of [1, 2, 3, 4, 5]) {
      const both = [
        await attempt('finetune', draw, { startFrom: await pretrained() }),
        await attempt('finetune', draw),
      ];
      tuned.push(both[0]);
      scratch.push(both[1]);
      const { origin } = await both[0].prepared.begin();
      expect(origin).toMatchObject({ reinitialised: ['head/w', 'head/b'] });
      const [tunedBytes, scratchBytes] = both.map(({ progress }) => progress.pushedBytes);
      expect([both[0].steps, tunedBytes]).toEqual([both[1].steps, scratchBytes]);
      expect(tunedBytes).toBeGreaterThan(0);
      expect(both[0].accuracy, `draw ${draw}`).toBeGreaterThan(both[1].accuracy);
    }
    expect(mean(tuned) - mean(scratch)).toBeGreaterThan(0.03);
  });

  test('need not travel: with all but the head frozen, only the head is pushed, and the rest stays', {
    timeout: 400_000,
  }, async () => {
    const steps = 5;
    const cluster = ['--runs', runs, '--workers', '1', '--servers', '1', '--no-self-check'];
    const flags = [
      example('finetune'),
      ...cluster,
      '--start-from',
      await pretrained(),
      '--steps',
      `${steps}`,
    ];
    const [all, head] = [await train(flags), await train([...flags, '--train', 'head'])];
    expect(head.startedFrom).toMatchObject({ reinitialised: ['head/w', 'head/b'] });
    expect(all.pushedBytes).toBe(all.parameters * 4 * steps);
    expect(head.pushedBytes).toBe((64 * 5 + 5) * 4 * steps);

    const tensorsOf = (file: string) => {
      const { layout, flat } = decodeSafetensors(readFileSync(file));
      return new Map(layout.tensors.map((tensor) => [tensor.name, valuesOf(tensor, flat)]));
    };
    const valuesOf = ({ offset, length }: TensorSpec, flat: Float32Array) =>
      flat.subarray(offset, offset + length);
    const before = tensorsOf(join(await pretrained(), 'parameters.safetensors'));
    const after = tensorsOf(head.checkpoint);
    const changed = [...after.keys()].filter((name) =>
      after.get(name)!.some((value, index) => value !== before.get(name)![index]),
    );
    expect(changed).toEqual(['head/w', 'head/b']);
  });

  test('teaches a student of 16 units more than the labels alone do, over five seeds', {
    timeout: 600_000,
  }, async () => {
    const [taught, alone]: Attempt[][] = [[], []];
    for (const draw of [1, 2, 3, 4, 5]) {
      const both = [
        await attempt('distil', draw, { teacher: await pretrained() }),
        await attempt('distil', draw),
      ];
      taught.push(both[0]);
      alone.push(both[1]);
      expect(both[0].steps).toBe(both[1].steps);
    }
    expect(mean(taught) - mean(alone)).toBeGreaterThan(0.005);
  });
});
