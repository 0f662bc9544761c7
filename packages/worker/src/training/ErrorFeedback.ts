import type { EncodedGradient } from '@tributary/client/ParameterClient.ts';
import type { JobEncoding } from '@tributary/core/codec/JobEncoding.ts';
import type { VectorEncoding } from '@tributary/core/codec/VectorEncoding.ts';
import { invariant } from '@tributary/core/errors/invariant.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';

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
  readonly gradient: EncodedGradient;
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
  readonly #correctsMomentum: boolean;
  readonly #debts = new Map<number, Debt>();
  /** The kernels' memory is not given back singly. */
  readonly #free: Float32Array[] = [];
  /** Where a gradient is encoded to, by the vector that it came in. */
  readonly #bytes = new Map<Float32Array, Uint8Array>();

  /** For vectors of `length` elements. */
  constructor(encoding: JobEncoding, length: number, kernels: VectorKernels) {
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

  /** What is to be pushed for a rank. Then call `arrived`, or `inDoubt` if the push failed; or neither, if it was refused. */
  encode({ rank, token, step, work }: ToEncode): Sending {
    const debt = this.#debtOf(rank, token, step);
    const length = this.#length;
    const encoding = this.#encoding.at(step);
    const gradient = work.subarray(0, length);
    if (this.#correctsMomentum)
      this.#gatherSpeed(encoding, gradient, work.subarray(length), debt.owed.subarray(length));
    this.#kernels.add(gradient, debt.owed.subarray(0, length));
    const bytes = this.#bytesFor(work, encoding.bytes);
    for (const { begin, end, codec, at, bytes: size } of encoding.pieces({ begin: 0, end: length }))
      this.#kernels.encode(codec, work.subarray(begin, end), bytes.subarray(at, at + size));
    if (this.#correctsMomentum) clearWhereSettled(gradient, work.subarray(length));
    return { gradient: { name: this.#encoding.name, encoding, bytes }, step, debt, owedAfter: work };
  }

  /** It is a part of the parameters now, or will be. */
  arrived({ debt, owedAfter }: Sending): void {
    // The rank may be lost since; then this vector is another's.
    if (this.#debts.get(debt.rank) === debt) debt.owed.set(owedAfter);
  }

  /** No answer came. The rank's next gradient tells: it is of the same step if this one has not arrived, and of a later one otherwise. */
  inDoubt({ debt, owedAfter, step }: Sending): void {
    debt.doubt = { step, owed: owedAfter.slice() };
  }

  /** What the servers will decode. */
  decode({ encoding, bytes }: EncodedGradient): Float32Array {
    const decoded = new Float32Array(this.#length);
    const pieces = encoding.pieces({ begin: 0, end: decoded.length });
    for (const { begin, end, codec, at, bytes: size } of pieces) {
      const right = this.#kernels.decode(codec, bytes.subarray(at, at + size), decoded.subarray(begin, end));
      invariant(right, 'what was encoded can be decoded');
    }
    return decoded;
  }

  /** velocity <- momentum * velocity + gradient, which then takes the gradient's place; where no momentum is corrected the gradient stays. */
  #gatherSpeed(
    encoding: VectorEncoding,
    gradient: Float32Array,
    velocity: Float32Array,
    before: Float32Array,
  ): void {
    velocity.set(before);
    for (const { begin, end, codec } of encoding.pieces({ begin: 0, end: this.#length })) {
      if (codec.momentum === 0) continue;
      const [now, speed] = [gradient.subarray(begin, end), velocity.subarray(begin, end)];
      this.#kernels.scale(speed, speed, codec.momentum);
      this.#kernels.add(speed, now);
      now.set(speed);
    }
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
