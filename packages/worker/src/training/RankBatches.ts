import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { randomUint32 } from '@tributary/core/random/philox.ts';
import { padBatch } from '../compute/padBatch.ts';
import type { Batch, Dataset } from '../data/Dataset.ts';
import { createSampler, type Sampler } from '../data/sampler.ts';

/** The minibatches of the ranks as the loss is to see them. */
export class RankBatches {
  readonly #data: Dataset;
  readonly #sampler: Sampler;
  readonly #padded: boolean;
  readonly #seed: number;

  constructor(data: Dataset, spec: JobSpec) {
    this.#data = data;
    this.#sampler = createSampler({ ...spec, size: spec.trainSize });
    this.#seed = spec.seed;
    this.#padded = spec.lastBatch === 'padded';
  }

  /** For what a rank draws at random at a step: two whole numbers, of (seed, rank, step) alone. */
  key(rank: number, step: number): Int32Array {
    const draw = (part: number) => randomUint32(this.#seed, part, rank, step);
    return Int32Array.of(draw(0), draw(1));
  }

  /** `examples` true ones, to which those that only fill the batch up do not count. */
  async read(rank: number, step: number): Promise<{ batch: Batch; examples: number }> {
    const examples = this.#sampler.examples(rank, step);
    const batch = await this.#data.read(examples);
    const padded = this.#padded && examples.length > 0;
    return { batch: padded ? padBatch(batch, this.#sampler.batchSize) : batch, examples: examples.length };
  }
}
