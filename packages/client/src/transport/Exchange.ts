import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type {
  ExchangeAnswer,
  ExchangeRequest,
  PullHeader,
  PullRequest,
  PushHeader,
  PushReply,
} from './messages.ts';
import type { Received } from './parameterService.ts';
import type { CallLimits, ChunkReceiver } from './ServerChannel.ts';
import { errorCodeOf } from './status.ts';

/** The stream under an exchange, whatever transport it is of. */
export interface ExchangeWire {
  send(request: ExchangeRequest): void;
  /** Sends chunks as fast as the wire takes them. Calls `taken` once: when nobody reads them any more, because they left or the stream is over. */
  sendChunks(chunks: Iterable<Chunk>, taken: () => void): void;
  /** Ends the stream. When it has come to rest `lost` is called. */
  breakOff(error: TributaryError): void;
}

/** For `lost`, where the server ended the stream in order. */
export function serverLeft(address: string): TributaryError {
  return new TributaryError('UNAVAILABLE', `server ${address}: it takes no more pushes and pulls`);
}

/** One push or pull of an exchange: its promise, and who may end it before its time. */
interface Call<Reply> {
  readonly number: number;
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

interface PullCall extends Call<PullHeader> {
  readonly receiver: ChunkReceiver;
  header?: PullHeader;
}

interface PushCall extends Call<PushReply> {
  readonly header: PushHeader;
  readonly chunks: Iterable<Chunk>;
  /** The answer, if it came before all was sent. */
  early?: () => void;
}

type AnyCall = PushCall | PullCall;

/**
 * A client's side of the call Exchange: pushes and pulls as promises over one stream. Requests wait in it until there is a wire.
 *
 * A call that is given up while its chunks are on their way takes the stream with it: only so its memory is free at once. The others on the stream then fail with UNAVAILABLE,
 * and whoever made them tries again. At any other time a call is given up by a word to the server.
 */
export class Exchange {
  readonly #address: string;
  #wire: ExchangeWire | undefined;
  readonly #calls = new Map<number, AnyCall>();
  #numbers = 0;
  /** What waits for the wire. */
  readonly #unsent: (() => void)[] = [];
  /** What waits for the end of the push that is being sent. */
  readonly #pushes: PushCall[] = [];
  #sending: PushCall | undefined;
  /** Whose chunks come; `given up`: they are for nobody. */
  #receiving: PullCall | 'given up' | undefined;
  /** The call for which the stream is broken off, and why. */
  #broken: { readonly call: AnyCall; readonly error: unknown } | undefined;
  #isOver = false;

  constructor(address: string) {
    this.#address = address;
  }

  /** It takes no more calls. */
  get isOver(): boolean {
    return this.#isOver || this.#broken !== undefined;
  }

  push(header: PushHeader, chunks: Iterable<Chunk>, callLimits: CallLimits): Promise<PushReply> {
    return this.#begin<PushReply, PushCall>(
      callLimits,
      (call) => ({ ...call, header, chunks }),
      (call) => {
        this.#pushes.push(call);
        this.#sendNext();
      },
    );
  }

  pull(request: PullRequest, receiver: ChunkReceiver, callLimits: CallLimits): Promise<PullHeader> {
    return this.#begin<PullHeader, PullCall>(
      callLimits,
      (call) => ({ ...call, receiver }),
      ({ number }) => this.#wire!.send({ call: number, what: 'pull', pull: request }),
    );
  }

  /** There is a wire now. */
  open(wire: ExchangeWire): void {
    this.#wire = wire;
    for (const send of this.#unsent.splice(0)) send();
  }

  /** The stream is over. Every call that was not answered fails with `error`. */
  lost(error: TributaryError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const broken = this.#broken;
    const others =
      broken === undefined
        ? error
        : this.#error('UNAVAILABLE', 'the stream was broken off because of another call');
    for (const call of [...this.#calls.values()]) call.reject(call === broken?.call ? broken.error : others);
  }

  /** Ends the stream, and with it every call. */
  breakOff(error: TributaryError): void {
    if (this.#isOver) return;
    this.#wire?.breakOff(error);
    this.lost(error);
  }

  /** An answer, or a chunk of one. What it throws must end the stream. */
  message(received: Received<ExchangeAnswer>): void {
    if ('malformed' in received) throw received.malformed;
    if ('chunk' in received) this.#chunk(received.chunk);
    else this.#answer(received.header);
  }

  /** Where a chunk may be put at once. */
  place(offset: number, bytes: number): Uint8Array | undefined {
    const call = this.#receiving;
    return typeof call === 'object' ? call.receiver.place(offset, bytes) : undefined;
  }

  #answer(answer: ExchangeAnswer): void {
    const call = this.#calls.get(answer.call);
    switch (answer.what) {
      case 'push':
        if (call === undefined) return;
        if (!isPush(call)) throw this.#error('INTERNAL', 'a pull was answered as a push');
        this.#answered(call, () => call.resolve(answer.push));
        return;
      case 'refusal': {
        if (call === undefined) return;
        const { code, message } = answer.refusal;
        this.#answered(call, () => call.reject(this.#error(errorCodeOf(code), message)));
        return;
      }
      case 'pull':
        if (call !== undefined && isPush(call))
          throw this.#error('INTERNAL', 'a push was answered as a pull');
        this.#receiving = call ?? 'given up';
        this.#received((pull) => {
          pull.header = answer.pull;
          pull.receiver.begin?.(answer.pull);
        });
        return;
      case 'end': {
        const done = this.#receiving;
        this.#receiving = undefined;
        if (done === undefined) throw this.#error('INTERNAL', 'an answer ended that had not begun');
        if (done !== 'given up') done.resolve(done.header!);
        return;
      }
      default:
        throw this.#error('INTERNAL', 'an answer says nothing');
    }
  }

  #chunk(chunk: Chunk): void {
    if (this.#receiving === undefined) throw this.#error('INTERNAL', 'a chunk came before the header');
    this.#received(({ receiver }) => receiver.add(chunk));
  }

  /** What the receiver throws is the failure of its call, and of no other. */
  #received(act: (call: PullCall) => void): void {
    const call = this.#receiving;
    if (call === undefined || call === 'given up') return;
    try {
      act(call);
    } catch (error) {
      this.#broken ??= { call, error };
      throw error;
    }
  }

  /** A push may be answered before all of it has left: its memory is the caller's again when the wire has let go of it. */
  #answered(call: AnyCall, settle: () => void): void {
    if (call === this.#sending) this.#sending.early = settle;
    else settle();
  }

  #sendNext(): void {
    if (this.#sending !== undefined || this.isOver) return;
    const next = this.#pushes.shift();
    if (next === undefined) return;
    this.#sending = next;
    const { number, header } = next;
    this.#wire!.send({ call: number, what: 'push', push: header });
    this.#wire!.sendChunks(untilAnswered(next), () => {
      this.#sending = undefined;
      if (this.isOver) return;
      const { early } = next;
      // The end is said only now: who gives up a push may change its chunks, and what the server got of them must never look complete.
      if (early === undefined) this.#wire!.send({ call: number, what: 'end', end: true });
      else this.#wire!.send({ call: number, what: 'cancel', cancel: true });
      early?.();
      this.#sendNext();
    });
  }

  #begin<Reply, Kind extends AnyCall>(
    { deadlineMs, signal }: CallLimits,
    make: (call: Call<Reply>) => Kind,
    send: (call: Kind) => void,
  ): Promise<Reply> {
    this.#numbers = (this.#numbers + 1) >>> 0;
    const number = this.#numbers;
    return new Promise<Reply>((resolve, reject) => {
      const late = () => giveUp('DEADLINE_EXCEEDED', `no answer within ${deadlineMs} ms`);
      const cancelled = () => giveUp('CANCELLED', 'the call was cancelled');
      const timer = setTimeout(late, deadlineMs);
      const over = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancelled);
        this.#calls.delete(number);
      };
      const call = make({
        number,
        resolve(reply) {
          over();
          resolve(reply);
        },
        reject(error) {
          over();
          reject(error);
        },
      });
      const giveUp = (code: 'DEADLINE_EXCEEDED' | 'CANCELLED', why: string) =>
        this.#giveUp(call, this.#error(code, why));
      this.#calls.set(number, call);
      signal?.addEventListener('abort', cancelled, { once: true });
      if (signal?.aborted) cancelled();
      else if (this.#wire === undefined) this.#unsent.push(() => this.#calls.has(number) && send(call));
      else send(call);
    });
  }

  #giveUp(call: AnyCall, error: TributaryError): void {
    if (call === this.#sending || call === this.#receiving) {
      this.#broken ??= { call, error };
      this.#wire!.breakOff(error);
      return;
    }
    const waiting = isPush(call) ? this.#pushes.indexOf(call) : -1;
    if (waiting >= 0) this.#pushes.splice(waiting, 1);
    else if (!this.isOver) this.#wire?.send({ call: call.number, what: 'cancel', cancel: true });
    call.reject(error);
  }

  #error(code: TributaryError['code'], what: string): TributaryError {
    return new TributaryError(code, `server ${this.#address}: ${what}`);
  }
}

function isPush(call: AnyCall): call is PushCall {
  return 'chunks' in call;
}

function* untilAnswered(push: PushCall): Generator<Chunk> {
  for (const chunk of push.chunks) {
    if (push.early !== undefined) return;
    yield chunk;
  }
}
