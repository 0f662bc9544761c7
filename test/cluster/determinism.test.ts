import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { expect, test } from 'vitest';
import { plainTraining } from './plainTraining.ts';
import { jobFile, temporaryFolder, train } from './tributary.ts';

const clusters = [
  { workers: 1, servers: 1 },
  { workers: 2, servers: 2 },
  { workers: 3, servers: 2 },
  { workers: 2, servers: 3 },
];

test('the trained parameters are the same bits for any number of workers and servers, and those of a plain loop', {
  timeout: 240_000,
}, async () => {
  const runs = temporaryFolder();
  const summaries = [];
  for (const { workers, servers } of clusters) {
    summaries.push(
      await train([jobFile('blobs'), '--runs', runs, '--workers', `${workers}`, '--servers', `${servers}`]),
    );
  }
  expect(summaries.map((summary) => [summary.workers, summary.servers, summary.steps])).toEqual(
    clusters.map(({ workers, servers }) => [workers, servers, 60]),
  );
  expect(new Set(summaries.map((summary) => summary.parametersSha256)).size).toBe(1);

  const { flat } = decodeSafetensors(readFileSync(summaries[0].checkpoint));
  const plain = await plainTraining(jobFile('blobs'), 60);
  expect(flat.length).toBe(plain.length);
  expect(relativeDistance(flat, plain)).toBeLessThan(1e-5);
  // And it did train: the parameters are not where they began.
  expect(relativeDistance(flat, await plainTraining(jobFile('blobs'), 0))).toBeGreaterThan(0.01);
});

/** |a - b| / |b| in the Euclidean norm. */
function relativeDistance(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let size = 0;
  for (let index = 0; index < b.length; index++) {
    difference += (a[index] - b[index]) ** 2;
    size += b[index] ** 2;
  }
  return Math.sqrt(difference / size);
}
