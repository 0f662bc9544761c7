import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { numpy as np } from '@jax-js/jax';
import { encodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { type DataSource, inMemory, withTeacher } from 'tributary';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../cluster/tributary.ts';

const size = 150;
const points = Float32Array.from({ length: size * 3 }, (_, index) => Math.sin(index * 1.3));
const weights = Float32Array.of(1, 2, 3, 4, 5, 6);
const model = {
  init: () => ({ w: np.zeros([3, 2]) }),
  logits: ({ w }: { w: np.Array }, { x }: { x: np.Array }) => np.matmul(x, w),
};

/** A file with the weights under that name. */
function trainedFile(name = 'w', shape = [3, 2]): string {
  const file = join(temporaryFolder(), 'teacher.safetensors');
  writeFileSync(file, encodeSafetensors(createLayout([{ name, shape }]), weights));
  return file;
}

/** The points, and how many of each were read. */
function counted(): { source: DataSource<'x'>; reads: number[] } {
  const inner = inMemory({ x: { data: points, shape: [size, 3] } });
  const reads = Array<number>(size).fill(0);
  const source: DataSource<'x'> = {
    ...inner,
    async open() {
      const opened = await inner.open();
      const read = (examples: Uint32Array) => {
        for (const example of examples) reads[example]++;
        return opened.read(examples);
      };
      return { ...opened, read };
    },
  };
  return { source, reads };
}

const answer = (example: number, output: number) =>
  [0, 1, 2].reduce((sum, k) => sum + points[example * 3 + k] * weights[k * 2 + output], 0);

test('every example has its answer, whatever is asked for, and each is computed once', async () => {
  const { source, reads } = counted();
  const data = await withTeacher(source, { from: trainedFile(), model }).open();
  expect(data.fields).toEqual({
    x: { shape: [3], dtype: 'float32' },
    teacher: { shape: [2], dtype: 'float32' },
  });
  for (const asked of [[149, 0, 64], [3, 3], [], [100, 63, 148]]) {
    const { x, teacher } = await data.read(Uint32Array.from(asked));
    expect(teacher.shape).toEqual([asked.length, 2]);
    asked.forEach((example, row) => {
      expect(x.data[row * 3]).toBe(points[example * 3]);
      for (const output of [0, 1]) {
        expect(teacher.data[row * 2 + output]).toBeCloseTo(answer(example, output), 5);
      }
    });
  }
  // Once for its answer, and each time that it was asked for.
  expect([reads[0], reads[1], reads[3], reads[64], reads[140]]).toEqual([2, 1, 3, 2, 1]);
  await data.close();
});

test('the bits of an answer do not depend on what was asked for before', async () => {
  const read = async (...asked: number[][]) => {
    const data = await withTeacher(counted().source, { from: trainedFile(), model }).open();
    const batches = [];
    for (const examples of asked) batches.push(await data.read(Uint32Array.from(examples)));
    await data.close();
    return batches.at(-1)!.teacher.data;
  };
  const all = Array.from({ length: size }, (_, example) => example);
  expect(await read([149, 2], [70], all)).toEqual(await read(all));
});

test('parameters that do not fit the teacher are refused, and names are mapped as in a start', async () => {
  const { source } = counted();
  const refused = withTeacher(source, { from: trainedFile('fc', [2, 3]), model }).open();
  await expect(refused).rejects.toThrow(/does not fit the model: "w" is missing; not used: fc/);
  const rules = { map: { w: 'fc' }, transpose: ['w'] };
  const data = await withTeacher(source, { from: trainedFile('fc', [2, 3]), model, ...rules }).open();
  const { teacher } = await data.read(Uint32Array.of(7));
  const expected = [0, 1, 2].reduce((sum, k) => sum + points[21 + k] * weights[k], 0);
  expect(teacher.data[0]).toBeCloseTo(expected, 5);
  const taken = withTeacher(inMemory({ teacher: [1] }), { from: trainedFile(), model }).open();
  await expect(taken).rejects.toThrow(/the data have a field "teacher" of their own/);
});
