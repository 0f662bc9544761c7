import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadJob } from '@tributary/worker/job/loadJob.ts';
import { expect, test } from 'vitest';
import { readAll } from '../data/readAll.ts';

const root = join(import.meta.dirname, '../..');
const load = async (path: string) => (await loadJob(join(root, 'examples', path))).job;

test('mnist: 10,000 digits, 8,000 of them for training, all of ten classes and within their range', async () => {
  const { data } = await load('mnist/job.ts');
  const [train, held] = [await readAll(data.train), await readAll(data.test!)];
  expect([train.x.shape, train.y.shape, held.x.shape]).toEqual([[8000, 784], [8000], [2000, 784]]);
  expect(Math.min(...held.x.data.subarray(0, 7840))).toBe(0);
  expect(Math.max(...held.x.data.subarray(0, 7840))).toBeLessThanOrEqual(1);
  const counts = Array<number>(10).fill(0);
  for (const digit of [...train.y.data, ...held.y.data]) counts[digit]++;
  expect(counts).toEqual([1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]);
});

test("linear regression: the article's points, and its parameters at the start", async () => {
  const golden = JSON.parse(
    await readFile(join(root, 'test/fixtures/golden/linear-regression.json'), 'utf8'),
  );
  const { data } = await load('linear-regression/job.ts');
  const { x, y } = await readAll(data.train);
  expect([x.data, y.data]).toEqual([Float32Array.from(golden.x), Float32Array.from(golden.y)]);
  const source = await readFile(join(root, 'examples/linear-regression/job.ts'), 'utf8');
  expect(source).toContain(`w: np.array(${golden.w0}), b: np.array(${golden.b0})`);
});

test('csv: every row can be read, and a quarter of them is held back', async () => {
  const { data } = await load('csv/job.ts');
  const [train, held] = [await readAll(data.train), await readAll(data.test!)];
  expect([train.price.shape, held.price.shape]).toEqual([[180], [60]]);
  expect(new Set(train.district.data)).toEqual(new Set([0, 1, 2, 3]));
});
