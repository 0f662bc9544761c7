import type { EncodedRun } from '../job/JobSpec.ts';
import { liveRanges, type Segment, segmentsOf, type Trained } from '../layout/segments.ts';
import { createCodec } from './table.ts';
import { VectorEncoding } from './VectorEncoding.ts';

/** How the gradients of a job are encoded, step by step: without the tensors that a step leaves as they are. */
export class JobEncoding {
  /** On the wire: that of the codec, or PER_TENSOR if there are several. */
  readonly name: string;
  readonly #runs: readonly EncodedRun[];
  readonly #segments: readonly Segment[];
  /** By the places of what is live: there are as many as there are steps at which tensors thaw. */
  readonly #encodings = new Map<string, VectorEncoding>();

  /** Throws as createCodec. */
  constructor({ encoding, ...trained }: Trained & { readonly encoding?: readonly EncodedRun[] }) {
    const whole = { begin: 0, end: trained.layout.length };
    this.#runs = encoding ?? [{ ...whole, codec: { name: 'f32' } }];
    this.#segments = segmentsOf(trained, whole);
    const names = new Set(this.#runs.map(({ codec }) => codec.name));
    this.name = names.size === 1 ? [...names][0].toUpperCase() : 'PER_TENSOR';
  }

  /** Does any codec correct momentum? */
  get correctsMomentum(): boolean {
    return this.#runs.some(({ codec }) => createCodec(codec).momentum > 0);
  }

  at(step: number): VectorEncoding {
    const live = liveRanges(this.#segments, step);
    const key = live.map(({ begin, end }) => `${begin}-${end}`).join();
    const encoding = this.#encodings.get(key) ?? new VectorEncoding(this.#runs, live);
    this.#encodings.set(key, encoding);
    return encoding;
  }
}
