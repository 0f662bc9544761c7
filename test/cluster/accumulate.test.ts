import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { expect, test } from 'vitest';
import { plainTraining } from './plainTraining.ts';
import { jobFile, temporaryFolder, train } from './tributary.ts';

test('minibatches in parts are the minibatches: the training of whole ones, and the same bits for any number of processes', {
  timeout: 240_000,
}, async () => {
  const runs = temporaryFolder();
  const at = (workers: number, servers: number) =>
    train([jobFile('accumulated'), '--runs', runs, '--workers', `${workers}`, '--servers', `${servers}`]);
  const [one, several] = [await at(1, 1), await at(3, 2)];
  expect(several.parametersSha256).toBe(one.parametersSha256);
  const { flat } = decodeSafetensors(readFileSync(one.checkpoint));
  const plain = await plainTraining(jobFile('blobs'), 60);
  const distance = Math.hypot(...flat.map((value, index) => value - plain[index])) / Math.hypot(...plain);
  expect(distance).toBeLessThan(1e-5);
});
