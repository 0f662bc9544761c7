import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSource, defineJob } from 'tributary';
import blobs from './blobs.ts';

/** The job of blobs.ts on data that takes its time, so that there is a middle of the training to disturb; the same numbers in the same order. */
const readMs = 5;

const train: DataSource = {
  ...blobs.data.train,
  async open(folder) {
    const dataset = await blobs.data.train.open(folder);
    return {
      ...dataset,
      async read(examples) {
        await sleep(readMs);
        return dataset.read(examples);
      },
    };
  },
};

export default defineJob({ ...blobs, name: 'paced', data: { train } });
