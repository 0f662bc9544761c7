import { invariant } from '@tributary/core/errors/invariant.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { randomUint32 } from '@tributary/core/random/philox.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import { padBatch } from '../compute/padBatch.ts';
import type { Batch, Dataset } from '../data/Dataset.ts';
import { createSampler, type Sampler } from '../data/sampler.ts';

/** The minibatches of the ranks as the loss is to see them. */
export class RankBatches {
  readonly #data: Dataset;
  readonly #sampler: Sampler;
  readonly #padded: boolean;
  readonly #seed: number;
  readonly #partSize: number;
  readonly #ranks: number;
  readonly #trace: Trace | undefined;

  constructor(data: Dataset, spec: JobSpec, trace?: Trace) {
    this.#data = data;
    this.#sampler = createSampler({ ...spec, size: spec.trainSize });
    this.#seed = spec.seed;
    this.#ranks = spec.ranks;
    this.#trace = trace;
    this.#partSize = Math.ceil(spec.batchSize / (spec.microBatches ?? 1));
    this.#padded = spec.lastBatch === 'padded';
  }

  /** For what a rank draws at random in one part of a step: two whole numbers, of (seed, rank, step, part) alone. */
  key(rank: number, step: number, part: number): Int32Array {
    const draw = (counter: number) => randomUint32(this.#seed, counter, rank, step);
    return Int32Array.of(draw(2 * part), draw(2 * part + 1));
  }

  /** What a rank computes at a step, part by part; nothing if it has no examples. `examples` true ones, to which those that only fill a part up do not count. */
  async *read(rank: number, step: number): AsyncGenerator<{ batch: Batch; examples: number }> {
    const all = this.#sampler.examples(rank, step);
    for (let begin = 0; begin < all.length; begin += this.#partSize) {
      const examples = all.subarray(begin, begin + this.#partSize);
      const end = this.#trace?.begin('data', 'read batch', { rank, step });
      const batch = await this.#data.read(examples);
      end?.();
      yield {
        batch: this.#padded ? padBatch(batch, this.#partSize) : batch,
        examples: examples.length,
      };
    }
  }

  /** A part of the shape that most have, to prepare programs for. Of the last rank, as at a short step the first may have no examples. */
  async first(): Promise<Batch> {
    const { value: part } = await this.read(this.#ranks - 1, 0).next();
    invariant(part !== undefined, 'the last rank has examples at the first step');
    return part.batch;
  }
}
