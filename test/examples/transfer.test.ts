import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import type { TensorSpec } from '@tributary/core/layout/Layout.ts';
import { afterAll, describe, expect, test } from 'vitest';
import type { TrainSummary } from '../../packages/cli/src/runs/TrainSummary.ts';
import { train } from '../cluster/tributary.ts';

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

  /** One worker and one server: the digits are few. Two runs at a time, as the machines have cores. */
  const attempt = (name: string, draw: number, ...flags: string[]) =>
    train([
      ...[example(name), '--runs', runs, '--workers', '1', '--servers', '1', '--no-self-check'],
      ...['--draw', `${draw}`, '--seed', `${draw}`, ...flags],
    ]);

  const mean = (summaries: readonly TrainSummary[]) =>
    summaries.reduce((sum, { accuracy }) => sum + accuracy!, 0) / summaries.length;

  test('helps to learn 5 to 9 from ten images of each: over five seeds it beats a start from nothing at the same budget', {
    timeout: 900_000,
  }, async () => {
    const [tuned, scratch]: TrainSummary[][] = [[], []];
    for (const draw of [1, 2, 3, 4, 5]) {
      const both = await Promise.all([
        attempt('finetune', draw, '--start-from', await pretrained()),
        attempt('finetune', draw),
      ]);
      tuned.push(both[0]);
      scratch.push(both[1]);
      expect(both[0].startedFrom).toMatchObject({ reinitialised: ['head/w', 'head/b'] });
      expect([both[0].steps, both[0].pushedBytes]).toEqual([both[1].steps, both[1].pushedBytes]);
      expect(both[0].accuracy, `draw ${draw}`).toBeGreaterThan(both[1].accuracy!);
    }
    expect(mean(tuned) - mean(scratch)).toBeGreaterThan(0.03);
  });

  test('need not travel: with all but the head frozen, only the head is pushed, and the rest stays', {
    timeout: 400_000,
  }, async () => {
    const steps = 5;
    const flags = ['--start-from', await pretrained(), '--steps', `${steps}`];
    const [all, head] = await Promise.all([
      attempt('finetune', 1, ...flags),
      attempt('finetune', 1, ...flags, '--train', 'head'),
    ]);
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
    const [taught, alone]: TrainSummary[][] = [[], []];
    for (const draw of [1, 2, 3, 4, 5]) {
      const both = await Promise.all([
        attempt('distil', draw, '--teacher', await pretrained()),
        attempt('distil', draw),
      ]);
      taught.push(both[0]);
      alone.push(both[1]);
      expect(both[0].steps).toBe(both[1].steps);
    }
    expect(mean(taught) - mean(alone)).toBeGreaterThan(0.005);
  });
});
