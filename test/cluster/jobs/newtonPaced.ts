import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSource, defineJob, newton } from 'tributary';
import logistic from './newtonLogistic.ts';

/*
 * Minibatches, so that no step is like another, damping, so that there is state to lose, and data that take their time, so that a process can be
 * killed in the middle of a step.
 */
const readMs = 3;

const train: DataSource = {
  ...logistic.data.train,
  async open(folder) {
    const dataset = await logistic.data.train.open(folder);
    return {
      ...dataset,
      async read(examples) {
        await sleep(readMs);
        return dataset.read(examples);
      },
    };
  },
};

export default defineJob({
  ...logistic,
  name: 'newton-paced',
  data: { train },
  optimizer: newton({ damping: 0.1 }),
  sampling: 'shuffled',
  batchSize: 32,
  steps: 60,
  checkpointEverySteps: 10,
});
