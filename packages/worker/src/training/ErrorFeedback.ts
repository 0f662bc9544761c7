import type { JobEncoding } from '@tributary/core/codec/JobEncoding.ts';
import type { EncodedPiece } from '@tributary/core/codec/VectorEncoding.ts';
import { invariant } from '@tributary/core/errors/invariant.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import { GradientEncoder } from './GradientEncoder.ts';

/** What a rank still owes to the servers. */
interface Debt {
  readonly rank: number;
  /** Of the lease under which it came about. */
  readonly token: number;
  /** What encoding lost of all that was sent; behind it the velocity, if momentum is corrected. */
  readonly owed: Float32Array;
  /** What is owed if the push of this step has arrived, which is not known. */
  doubt?: { readonly step: number; readonly owed: Float32Array };
}

/** A gradient on its way, and what will be owed once it has arrived. */
export interface Sending {
  readonly gradient: GradientEncoder;
  readonly step: number;
  readonly debt: Debt;
  readonly owedAfter: Float32Array;
}

export interface ToEncode {
  readonly rank: number;
  readonly token: number;
  readonly step: number;
  /** `workLength` elements that begin with the gradient. Overwritten; to be left alone until the sending is settled. */
  readonly work: Float32Array;
}

/**
 * Error feedback: what encoding takes from a rank's gradient is added to its next one, so that nothing is lost, only late.
 *
 *   c <- gradient + owed,   sent <- encode(c),   owed <- c - decode(sent)
 *
 * Seide et al., "1-Bit Stochastic Gradient Descent", 2014; Karimireddy et al., 2019, for why it converges. With momentum correction the velocity takes the place
 * of the gradient; see topk.ts. What is owed belongs to a rank, not to a worker, so that the result does not depend on who holds which ranks. It goes with the lease:
 * another worker, or one that goes on from a checkpoint, begins with nothing owed.
 */
export class ErrorFeedback {
  readonly #encoding: JobEncoding;
  readonly #length: number;
  readonly #kernels: VectorKernels;
  readonly #trace: Trace | undefined;
  readonly #correctsMomentum: boolean;
  readonly #debts = new Map<number, Debt>();
  /** The kernels' memory is not given back singly. */
  readonly #free: Float32Array[] = [];
  /** Where a gradient is encoded to, by the vector that it came in. */
  readonly #bytes = new Map<Float32Array, Uint8Array>();

  /** For vectors of `length` elements. */
  constructor(encoding: JobEncoding, length: number, kernels: VectorKernels, trace?: Trace) {
    this.#trace = trace;
    this.#encoding = encoding;
    this.#length = length;
    this.#kernels = kernels;
    this.#correctsMomentum = encoding.correctsMomentum;
  }

  /** Elements of a vector to work in. */
  get workLength(): number {
    return this.#length * (this.#correctsMomentum ? 2 : 1);
  }

  /** Forgets what is owed of ranks that are not held any more, or were lost and came back. */
  retain(tokens: ReadonlyMap<number, number>): void {
    for (const [rank, { token }] of this.#debts) if (tokens.get(rank) !== token) this.#forget(rank);
  }

  /** Forgets everything: the parameters are those of a checkpoint. */
  clear(): void {
    for (const rank of [...this.#debts.keys()]) this.#forget(rank);
  }

  /** What is to be pushed for a rank, encoded as it leaves. Then call `arrived`, or `inDoubt` if the push failed; or neither, if it was refused. */
  encode({ rank, token, step, work }: ToEncode): Sending {
    const debt = this.#debtOf(rank, token, step);
    const encoding = this.#encoding.at(step);
    const bytes = this.#bytesFor(work, encoding.bytes);
    // What is frozen keeps no velocity, and no piece comes to say so.
    if (this.#correctsMomentum) work.fill(0, this.#length);
    const gradient = new GradientEncoder(this.#encoding.name, encoding, this.#length, bytes, (piece) => {
      const end = this.#trace?.begin('encode', 'encode', { rank, step });
      this.#encodePiece(piece, work, debt.owed, bytes);
      end?.();
    });
    return { gradient, step, debt, owedAfter: work };
  }

  /** It is a part of the parameters now, or will be. */
  arrived({ debt, gradient, owedAfter }: Sending): void {
    if (!this.#owes(debt)) return;
    gradient.finish();
    debt.owed.set(owedAfter);
  }

  /** No answer came. The rank's next gradient tells: it is of the same step if this one has not arrived, and of a later one otherwise. */
  inDoubt({ debt, gradient, owedAfter, step }: Sending): void {
    if (!this.#owes(debt)) return;
    gradient.finish();
    debt.doubt = { step, owed: owedAfter.slice() };
  }

  /** What the servers will decode. */
  decode(gradient: GradientEncoder): Float32Array {
    gradient.finish();
    const decoded = new Float32Array(this.#length);
    const pieces = gradient.encoding.pieces({ begin: 0, end: decoded.length });
    for (const { begin, end, codec, at, bytes } of pieces) {
      const encoded = gradient.bytes.subarray(at, at + bytes);
      const right = this.#kernels.decode(codec, encoded, decoded.subarray(begin, end));
      invariant(right, 'what was encoded can be decoded');
    }
    return decoded;
  }

  /** Leaves in `work` what will be owed of this piece. */
  #encodePiece(
    { begin, end, codec, at, bytes }: EncodedPiece,
    work: Float32Array,
    owed: Float32Array,
    all: Uint8Array,
  ): void {
    const part = work.subarray(begin, end);
    const velocity = this.#velocityIn(work, begin, end);
    if (velocity !== undefined) {
      // velocity <- momentum * velocity + gradient, which then takes the gradient's place; where no momentum is corrected the gradient stays.
      velocity.set(this.#velocityIn(owed, begin, end)!);
      if (codec.momentum !== 0) {
        this.#kernels.scale(velocity, velocity, codec.momentum);
        this.#kernels.add(velocity, part);
        part.set(velocity);
      }
    }
    this.#kernels.add(part, owed.subarray(begin, end));
    this.#kernels.encode(codec, part, all.subarray(at, at + bytes));
    if (velocity !== undefined) clearWhereSettled(part, velocity);
  }

  #velocityIn(vector: Float32Array, begin: number, end: number): Float32Array | undefined {
    return this.#correctsMomentum ? vector.subarray(this.#length + begin, this.#length + end) : undefined;
  }

  /** A rank may be lost since; then its vector is another's. */
  #owes(debt: Debt): boolean {
    return this.#debts.get(debt.rank) === debt;
  }

  #debtOf(rank: number, token: number, step: number): Debt {
    let debt = this.#debts.get(rank);
    if (debt?.token !== token) {
      this.#forget(rank);
      debt = { rank, token, owed: this.#free.pop() ?? this.#kernels.allocate(this.workLength) };
      this.#debts.set(rank, debt);
    }
    if (debt.doubt !== undefined && debt.doubt.step < step) debt.owed.set(debt.doubt.owed);
    delete debt.doubt;
    return debt;
  }

  #forget(rank: number): void {
    const debt = this.#debts.get(rank);
    if (debt === undefined) return;
    this.#debts.delete(rank);
    this.#free.push(debt.owed.fill(0));
  }

  #bytesFor(work: Float32Array, length: number): Uint8Array {
    const kept = this.#bytes.get(work);
    if (kept?.length === length) return kept;
    const bytes = new Uint8Array(length);
    this.#bytes.set(work, bytes);
    return bytes;
  }
}

/** Momentum factor masking: where everything was sent, the velocity begins anew. */
function clearWhereSettled(owed: Float32Array, velocity: Float32Array): void {
  for (let index = 0; index < owed.length; index++) if (owed[index] === 0) velocity[index] = 0;
}
