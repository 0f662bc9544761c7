import { setImmediate } from 'node:timers/promises';
import { invariant } from '@tributary/core/errors/invariant.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { randomUint32 } from '@tributary/core/random/philox.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import { padBatch } from '../compute/padBatch.ts';
import type { Batch, Dataset } from '../data/Dataset.ts';
import { createSampler, type Sampler } from '../data/sampler.ts';

/** A part of a minibatch: `examples` true ones, to which those that only fill it up do not count. */
interface Part {
  readonly batch: Batch;
  readonly examples: number;
}

/**
 * The minibatches of the ranks as the loss is to see them. While nothing is computed those that come next can be read: of each rank the first part, as parts are
 * there to keep memory small. The data set sees one read at a time.
 */
export class RankBatches {
  readonly #data: Dataset;
  readonly #sampler: Sampler;
  readonly #padded: boolean;
  readonly #seed: number;
  readonly #partSize: number;
  readonly #ranks: number;
  readonly #trace: Trace | undefined;
  /** First parts that were read before anyone asked for them, by rank. */
  readonly #ahead = new Map<number, Part & { readonly step: number }>();
  /** Reading ahead, which ends when the number is another. */
  #reading: Promise<void> = Promise.resolve();
  #readings = 0;

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

  /** What a rank computes at a step, part by part; nothing if it has no examples. Nothing may be read ahead meanwhile, see `rest`. */
  async *read(rank: number, step: number): AsyncGenerator<Part> {
    const ahead = this.#ahead.get(rank);
    this.#ahead.delete(rank);
    const all = this.#sampler.examples(rank, step);
    for (let begin = 0; begin < all.length; begin += this.#partSize) {
      if (begin === 0 && ahead?.step === step) yield ahead;
      else yield await this.#readPart(rank, step, all.subarray(begin, begin + this.#partSize));
    }
  }

  /** Reads what these ranks compute first at a step, in their order, until `rest` is called or it is enough. What was read before and is of other ranks or steps is forgotten. */
  readAhead(ranks: readonly number[], step: number): void {
    const reading = ++this.#readings;
    for (const [rank, kept] of this.#ahead)
      if (kept.step !== step || !ranks.includes(rank)) this.#ahead.delete(rank);
    this.#reading = this.#reading.then(async () => {
      let bytes = 0;
      for (const rank of ranks) {
        // A data set in memory would not let anyone else say a word.
        await setImmediate();
        if (reading !== this.#readings || bytes >= limits.readAheadBytes) return;
        const examples = this.#sampler.examples(rank, step).subarray(0, this.#partSize);
        if (examples.length === 0 || this.#ahead.has(rank)) continue;
        // What cannot be read is told by who needs it.
        const part = await this.#readPart(rank, step, examples).catch(() => undefined);
        if (part === undefined) return;
        this.#ahead.set(rank, { ...part, step });
        for (const { data } of Object.values(part.batch)) bytes += data.byteLength;
      }
    });
  }

  /** Ends reading ahead, and settles when nothing is being read any more. */
  async rest(): Promise<void> {
    this.#readings++;
    await this.#reading;
  }

  /** A part of the shape that most have, to prepare programs for. Of the last rank, as at a short step the first may have no examples. */
  async first(): Promise<Batch> {
    const { value: part } = await this.read(this.#ranks - 1, 0).next();
    invariant(part !== undefined, 'the last rank has examples at the first step');
    return part.batch;
  }

  async #readPart(rank: number, step: number, examples: Uint32Array): Promise<Part> {
    const end = this.#trace?.begin('data', 'read batch', { rank, step });
    const batch = await this.#data.read(examples);
    end?.();
    return {
      batch: this.#padded ? padBatch(batch, this.#partSize) : batch,
      examples: examples.length,
    };
  }
}
