import type {
  ExchangeAnswer,
  ExchangeRequest,
  PullHeader,
  PullRequest,
  PushHeader,
  PushReply,
} from '@tributary/client/transport/messages.ts';
import type { Received } from '@tributary/client/transport/parameterService.ts';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { type Log, statusOf } from './calls.ts';
import type { TensorWriter } from './TensorWriter.ts';

/** The stream under a session, whatever transport it is of. */
export interface ExchangeWire {
  send(answer: ExchangeAnswer): void;
  /** Settles when the chunks are not read any more. Calls `queued` before: what is sent then comes right behind the last. */
  sendChunks(chunks: Iterable<Chunk>, queued: () => void): Promise<void>;
  /** Messages that the client has not read yet. */
  readonly unread: number;
  /** Ends the stream in order. */
  end(): void;
}

/** Takes one push. What its methods throw is the refusal of the push. */
export interface PushSink {
  message(received: Received<PushHeader>): void;
  /** Where a chunk may be put at once. */
  place(offset: number, bytes: number): Uint8Array | undefined;
  /** Nothing that still comes can make it a good one. */
  readonly tooLong: boolean;
  /** All has come: what became of it, perhaps later. */
  finish(): PushReply | Promise<PushReply>;
  /** Called once, at last. */
  close(): void;
}

/** What becomes of the pushes and pulls of all sessions of a server. */
export interface ExchangeWork extends Log {
  receivePush(): PushSink;
  /** Throws the refusal of the pull. */
  answerPull(request: PullRequest, writer: TensorWriter<PullHeader>): Promise<void>;
  /** Those that are open: a server ends them before it stops. */
  readonly sessions: Set<ExchangeSession>;
}

/**
 * A server's side of the call Exchange: takes pushes one after the other, lets pulls wait beside them, and gives each its answer. What `message` throws must end the
 * stream; whatever ends it, `close` must be called.
 */
export class ExchangeSession {
  readonly #work: ExchangeWork;
  readonly #wire: ExchangeWire;
  /** The push that has not ended; once it is answered, what still comes of it is dropped. */
  #push: { readonly call: number; readonly sink: PushSink; isAnswered: boolean } | undefined;
  /** Pushes that have ended and wait for their answer. */
  #unanswered = 0;
  readonly #pulls = new Map<number, AbortController>();
  /** Answers with chunks take turns. */
  #turn: Promise<void> = Promise.resolve();
  #isLeaving = false;
  #hasEnded = false;

  constructor(work: ExchangeWork, wire: ExchangeWire) {
    this.#work = work;
    this.#wire = wire;
    work.sessions.add(this);
  }

  message(received: Received<ExchangeRequest>): void {
    if ('malformed' in received) throw received.malformed;
    if ('chunk' in received) this.#chunk(received.chunk);
    else this.#request(received.header);
  }

  /** Where a chunk may be put at once. */
  place(offset: number, bytes: number): Uint8Array | undefined {
    return this.#push?.isAnswered === false ? this.#push.sink.place(offset, bytes) : undefined;
  }

  /** No more is taken. The stream ends when what is under way is answered. */
  leave(): void {
    this.#isLeaving = true;
    this.#endIfDone();
  }

  /** The client has said all. */
  ended(): void {
    this.#endPush();
    this.leave();
  }

  /** The stream is over. */
  close(): void {
    this.#work.sessions.delete(this);
    this.#hasEnded = true;
    this.#endPush();
    for (const pull of this.#pulls.values()) pull.abort();
  }

  #request(request: ExchangeRequest): void {
    if (this.#wire.unread > limits.exchangeUnreadMax)
      throw new TributaryError('RESOURCE_EXHAUSTED', 'answers are asked for and not read');
    const { call } = request;
    switch (request.what) {
      case 'push':
        if (this.#push !== undefined) throw invalid('a push began before the one before it had ended');
        this.#beginPush(call, request.push);
        return;
      case 'pull':
        if (this.#pulls.has(call)) throw invalid(`call ${call} is under way already`);
        void this.#pull(call, request.pull);
        return;
      case 'end':
        if (this.#push?.call !== call) throw invalid(`push ${call} ended, and had not begun`);
        this.#answerPush();
        this.#endPush();
        return;
      case 'cancel':
        if (this.#push?.call === call) this.#endPush();
        this.#pulls.get(call)?.abort();
        return;
      default:
        throw invalid('a request is neither a push nor a pull, and ends none');
    }
  }

  #beginPush(call: number, header: PushHeader): void {
    const sink = this.#work.receivePush();
    this.#push = { call, sink, isAnswered: false };
    this.#attempt(() => {
      this.#refuseIfLeaving();
      sink.message({ header });
    });
  }

  #chunk(chunk: Chunk): void {
    const push = this.#push;
    if (push === undefined) throw invalid('a chunk came that is of no push');
    if (push.isAnswered) return;
    this.#attempt(() => push.sink.message({ chunk }));
    if (push.sink.tooLong) this.#answerPush();
  }

  #answerPush(): void {
    const { call, sink, isAnswered } = this.#push!;
    if (isAnswered) return;
    this.#attempt(() => {
      const reply = sink.finish();
      this.#push!.isAnswered = true;
      if (reply instanceof Promise) void this.#answerLater(call, reply);
      else this.#wire.send({ call, what: 'push', push: reply });
    });
  }

  async #answerLater(call: number, reply: Promise<PushReply>): Promise<void> {
    this.#unanswered++;
    try {
      this.#wire.send({ call, what: 'push', push: await reply });
    } catch (error) {
      this.#refuse(call, error);
    }
    this.#unanswered--;
    this.#endIfDone();
  }

  /** What is thrown is the refusal of the push. */
  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#push!.isAnswered = true;
      this.#refuse(this.#push!.call, error);
    }
  }

  #endPush(): void {
    this.#push?.sink.close();
    this.#push = undefined;
    this.#endIfDone();
  }

  async #pull(call: number, request: PullRequest): Promise<void> {
    const stop = new AbortController();
    const { signal } = stop;
    this.#pulls.set(call, stop);
    const answer = (header: PullHeader, chunks: Iterable<Chunk>) =>
      this.#inTurn(async () => {
        if (signal.aborted) return;
        this.#wire.send({ call, what: 'pull', pull: header });
        await this.#wire.sendChunks(chunks, () => this.#wire.send({ call, what: 'end', end: true }));
      });
    try {
      this.#refuseIfLeaving();
      await this.#work.answerPull(request, { signal, answer });
    } catch (error) {
      if (!signal.aborted) this.#refuse(call, error);
    }
    this.#pulls.delete(call);
    this.#endIfDone();
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {});
    return done;
  }

  #refuseIfLeaving(): void {
    if (this.#isLeaving) throw new TributaryError('UNAVAILABLE', 'the server is stopping');
  }

  #refuse(call: number, error: unknown): void {
    const { code, details } = statusOf(error, this.#work);
    const message = details?.slice(0, limits.statusMessageMax) ?? '';
    this.#wire.send({ call, what: 'refusal', refusal: { code: Number(code), message } });
  }

  #endIfDone(): void {
    const isIdle = this.#push === undefined && this.#pulls.size === 0 && this.#unanswered === 0;
    if (!this.#isLeaving || this.#hasEnded || !isIdle) return;
    this.#hasEnded = true;
    this.#wire.end();
  }
}

function invalid(message: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', message);
}
