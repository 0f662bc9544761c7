import type { PushHeader, PushReply } from '@tributary/client/transport/messages.ts';
import type { Received } from '@tributary/client/transport/parameterService.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { PushAnswer, Shard } from '../shard/Shard.ts';
import type { ShardSet } from '../shard/ShardSet.ts';
import type { RpcContext } from './calls.ts';
import { type ChunkDecoder, GradientAssembly } from './GradientAssembly.ts';

interface Begun {
  readonly header: PushHeader;
  readonly set: ShardSet;
  readonly shard: Shard;
  /** Of the gradient; undefined for a push without. */
  readonly vector: Float32Array | undefined;
  readonly assembly: GradientAssembly;
  /** Of its span in a trace. */
  readonly end: (() => void) | undefined;
}

/**
 * One push, whatever transport brings it: reads the header, then the chunks into a buffer, and only then touches the shard, so that an update in
 * part is never visible. Every method may throw the refusal of the push. Whatever happens, `close` must be called.
 */
export class PushReceiver {
  readonly #context: RpcContext;
  #push: Begun | undefined;
  /** The shard has the vector. */
  #taken = false;
  #closed = false;

  constructor(context: RpcContext) {
    this.#context = context;
  }

  /** More elements came than the shard has: nothing that still comes can make the push a good one. */
  get tooLong(): boolean {
    return this.#push?.assembly.tooLong === true;
  }

  /** As many elements came as the header promised. */
  get complete(): boolean {
    if (this.#push === undefined) return false;
    const { header, assembly } = this.#push;
    return header.weight === 0 || assembly.complete;
  }

  /** A whole message. */
  message(message: Received<PushHeader>): void {
    if ('malformed' in message) throw message.malformed;
    if ('header' in message) this.#begin(message.header);
    else this.#assembly().add(message.chunk);
  }

  /** Where a chunk may be put at once. */
  place(offset: number, bytes: number): Uint8Array | undefined {
    return this.#push?.assembly.place(offset, bytes);
  }

  /** All has come: what became of it. */
  finish(): PushReply {
    if (this.#push === undefined) throw invalid('a push without any message');
    const { set, shard } = this.#push;
    this.#push.end?.();
    const { outcome, reason } = decide(this.#push);
    this.#taken = outcome === 'applied' || outcome === 'waiting';
    set.outcomes[outcome]++;
    return { outcome: outcome.toUpperCase(), reason, clock: shard.clock, endStep: shard.endStep };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#push?.vector !== undefined && !this.#taken) this.#push.shard.giveVector(this.#push.vector);
  }

  #begin(header: PushHeader): void {
    if (this.#push !== undefined) throw invalid('a second header came in one push');
    const set = this.#context.loaded();
    const { shard } = set.find(header.target);
    const vector = shard.begin(header);
    const assembly = new GradientAssembly(shard.live(header.step), {
      target: vector,
      decoder: decoderOf(header, shard),
      allFinite: (values) => shard.allFinite(values),
    });
    const { rankBegin, rankEnd, step } = header;
    const end = shard.trace?.begin('receive', 'receive', { rankBegin, rankEnd, step });
    this.#push = { header, set, shard, vector, assembly, end };
  }

  #assembly(): GradientAssembly {
    if (this.#push === undefined) throw invalid('the first message of a push must be its header');
    const { header, assembly } = this.#push;
    if (header.weight === 0) throw invalid('a chunk came although the weight is 0, which skips the step');
    return assembly;
  }
}

/** Undefined for float32, which needs no decoding. */
function decoderOf({ encoding, step }: PushHeader, shard: Shard): ChunkDecoder | undefined {
  if (encoding === 'F32') return undefined;
  return {
    part: (offset, bytes) => shard.encodedPart(step, offset, bytes),
    decode: (codec, bytes, values) => shard.decode(codec, bytes, values),
  };
}

function decide({ header, shard, vector, assembly }: Begun): PushAnswer {
  if (header.weight > 0 && !assembly.complete) {
    const { expected, tooLong, received } = assembly;
    const found = tooLong ? `more than ${expected} elements` : `${received} elements`;
    return {
      outcome: 'rejected',
      reason: `the gradient has ${found}; shard ${header.target.shard} has ${expected}`,
    };
  }
  return shard.push(header, vector, assembly.finite);
}

function invalid(message: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', message);
}
