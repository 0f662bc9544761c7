import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { padBatch } from '../compute/padBatch.ts';
import type { Batch, Dataset } from '../data/Dataset.ts';
import { createSampler, type Sampler } from '../data/sampler.ts';

/** The minibatches of the ranks as the loss is to see them. */
export class RankBatches {
  readonly #data: Dataset;
  readonly #sampler: Sampler;
  readonly #padded: boolean;

  constructor(data: Dataset, spec: JobSpec) {
    this.#data = data;
    this.#sampler = createSampler({ ...spec, size: spec.trainSize });
    this.#padded = spec.lastBatch === 'padded';
  }

  /** `examples` true ones, to which those that only fill the batch up do not count. */
  async read(rank: number, step: number): Promise<{ batch: Batch; examples: number }> {
    const examples = this.#sampler.examples(rank, step);
    const batch = await this.#data.read(examples);
    const padded = this.#padded && examples.length > 0;
    return { batch: padded ? padBatch(batch, this.#sampler.batchSize) : batch, examples: examples.length };
  }
}
