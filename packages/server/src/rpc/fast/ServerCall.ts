import type { PlacingHandler } from '@tributary/client/transport/fast/Http2Socket.ts';
import { messageOf, sendChunks } from '@tributary/client/transport/fast/sendChunks.ts';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { MessageReader, type MessageSink } from '@tributary/core/codec/MessageReader.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { encodeStatusMessage } from '@tributary/core/grpc/statusMessage.ts';
import { parseTimeout } from '@tributary/core/grpc/timeout.ts';
import type { Http2Stream } from '@tributary/core/http2/Http2Stream.ts';
import type { Header } from '@tributary/core/http2/hpack/Header.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { type Log, statusOf } from '../calls.ts';
import type { TensorWriter } from '../TensorWriter.ts';

/** What a method does with its messages. What its functions throw is the refusal of the call. */
export interface CallWork extends MessageSink {
  /** The caller has said all. */
  ended(): void | Promise<void>;
  /** Once, at last: nobody uses its memory any more. */
  closed?(): void;
}

const responseHeaders: readonly Header[] = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
  ['grpc-accept-encoding', 'identity'],
];

/** The longest that a timer takes; longer deadlines are none. */
const timerMsMax = 2 ** 31 - 1;

/** One call on the fast path, from the headers of its request to the status of its answer. */
export class ServerCall implements PlacingHandler {
  readonly #stream: Http2Stream;
  readonly #log: Log;
  readonly #reader: MessageReader;
  readonly #work: CallWork;
  readonly #aborted = new AbortController();
  #deadline: NodeJS.Timeout | undefined;
  #answering = false;
  /** An answer is given, in full or in part; what still comes is dropped. */
  #isOver = false;
  #isClosed = false;
  /** The kernel may be writing to the memory of the work. */
  #isHeld = false;

  constructor(
    stream: Http2Stream,
    headers: readonly Header[],
    log: Log,
    work: (call: ServerCall) => CallWork,
  ) {
    this.#stream = stream;
    this.#log = log;
    this.#work = work(this);
    this.#reader = new MessageReader(this.#work);
    this.#setDeadline(headers.find(([name]) => name === 'grpc-timeout')?.[1]);
  }

  /** Fires when the caller is gone or its deadline has passed. */
  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  /** Answers with one message. */
  reply(message: Buffer): void {
    if (this.#isOver) return;
    this.#begin();
    this.#stream.send(messageOf(message));
    this.#finish('0', '');
  }

  /** For calls that answer with a header and a vector. */
  writer<SentHeader>(serialize: (message: { header: SentHeader }) => Buffer): TensorWriter<SentHeader> {
    return {
      signal: this.signal,
      answer: async (header, chunks) => {
        if (this.#isOver) return;
        this.#begin();
        this.#stream.send(messageOf(serialize({ header })));
        await new Promise<void>((resolve) => sendChunks(this.#stream, chunks, resolve));
        this.#finish('0', '');
      },
    };
  }

  /** For the call that gives many answers. */
  wire<Answer>(serialize: (message: { header: Answer }) => Buffer) {
    const stream = this.#stream;
    this.#begin();
    return {
      send: (header: Answer) => stream.send(messageOf(serialize({ header }))),
      sendChunks: (chunks: Iterable<Chunk>, queued: () => void) =>
        new Promise<void>((resolve) => sendChunks(stream, chunks, resolve, queued)),
      get unread() {
        return stream.queue.length;
      },
      end: () => this.#finish('0', ''),
    };
  }

  /** Answers with a status other than OK. */
  refuse(error: unknown): void {
    if (this.#isOver) return;
    const { code, details } = statusOf(error, this.#log);
    this.#finish(String(code), details ?? '');
  }

  headers(): void {
    // Trailers of a request: gRPC gives them no meaning.
  }

  data(bytes: Uint8Array, begin: number, end: number): void {
    this.#stream.consume(end - begin);
    if (!this.#isOver) this.#attempt(() => this.#reader.read(bytes, begin, end));
  }

  ended(): void {
    if (this.#isOver) return;
    this.#attempt(() => {
      if (!this.#reader.atBoundary)
        throw new TributaryError('INVALID_ARGUMENT', 'the request ends in the middle of a message');
      return this.#work.ended();
    });
  }

  closed(): void {
    if (!this.#isOver) this.#aborted.abort();
    this.#isOver = true;
    clearTimeout(this.#deadline);
    this.#isClosed = true;
    if (!this.#isHeld) this.#work.closed?.();
  }

  place(): Uint8Array | undefined {
    return this.#isOver ? undefined : this.#reader.place;
  }

  held(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!isHeld && this.#isClosed) this.#work.closed?.();
  }

  #attempt(action: () => void | Promise<void>): void {
    try {
      action()?.catch((error: unknown) => this.refuse(error));
    } catch (error) {
      this.refuse(error);
    }
  }

  #setDeadline(header: string | undefined): void {
    if (header === undefined) return;
    const timeoutMs = parseTimeout(header);
    if (timeoutMs === undefined) {
      this.refuse(new TributaryError('INVALID_ARGUMENT', `grpc-timeout is "${header}"`));
    } else if (timeoutMs <= timerMsMax) {
      this.#deadline = setTimeout(() => this.#late(), timeoutMs);
    }
  }

  #late(): void {
    const late = 'the deadline of the call has passed';
    if (this.#answering) this.#stream.reset('CANCEL', late);
    else this.refuse(new TributaryError('DEADLINE_EXCEEDED', late));
    this.#aborted.abort();
  }

  #begin(): void {
    this.#answering = true;
    this.#stream.sendHeaders(responseHeaders);
  }

  #finish(status: string, message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const trailers: Header[] = [['grpc-status', status]];
    if (message !== '')
      trailers.push(['grpc-message', encodeStatusMessage(message.slice(0, limits.statusMessageMax))]);
    if (this.#answering) this.#stream.end(trailers);
    else this.#stream.sendHeaders([...responseHeaders, ...trailers], true);
  }
}
