import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { expect, test } from 'vitest';
import { plainTraining } from './plainTraining.ts';
import { jobFile, temporaryFolder, train } from './tributary.ts';

test('frozen tensors stay as they began, late ones train, and it is the same bits for any number of processes', {
  timeout: 240_000,
}, async () => {
  const runs = temporaryFolder();
  const file = jobFile('partlyFrozen');
  const at = (workers: number, servers: number, steps: number) => {
    const flags = ['--runs', runs, '--workers', `${workers}`, '--servers', `${servers}`];
    return train([file, ...flags, '--steps', `${steps}`]);
  };
  const [one, several, half] = [await at(1, 1, 60), await at(2, 3, 60), await at(1, 2, 30)];
  expect(several.parametersSha256).toBe(one.parametersSha256);

  const initial = await plainTraining(file, 0);
  const changedBy = ({ checkpoint }: { checkpoint: string }) => {
    const { layout, flat } = decodeSafetensors(readFileSync(checkpoint));
    return layout.tensors
      .filter(({ offset, length }) =>
        flat.subarray(offset, offset + length).some((value, index) => value !== initial[offset + index]),
      )
      .map(({ name }) => name);
  };
  expect(changedBy(half)).toEqual(['w2', 'b2']);
  expect(changedBy(one)).toEqual(['b1', 'w2', 'b2']);
});
