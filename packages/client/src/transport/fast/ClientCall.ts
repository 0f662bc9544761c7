import { MessageReader, type MessageSink } from '@tributary/core/codec/MessageReader.ts';
import { type ErrorCode, TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { decodeStatusMessage } from '@tributary/core/grpc/statusMessage.ts';
import { formatTimeout } from '@tributary/core/grpc/timeout.ts';
import type { Http2Error, Http2ErrorName } from '@tributary/core/http2/Http2Error.ts';
import type { Http2Stream } from '@tributary/core/http2/Http2Stream.ts';
import type { Header } from '@tributary/core/http2/hpack/Header.ts';
import { errorCodeOf } from '../status.ts';
import type { Http2Socket, PlacingHandler } from './Http2Socket.ts';

export interface CallOptions {
  readonly address: string;
  readonly path: string;
  /** Undefined: it lasts as long as it lasts. */
  readonly deadlineMs: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a call sends once its stream is there, and what it does with what comes. */
export interface CallWork extends MessageSink {
  send(call: ClientCall): void;
}

/** "HTTP2 Transport Mapping" of the gRPC project; what is not here is INTERNAL. A lost connection may be another server next time. */
const codeOfReset: Partial<Record<Http2ErrorName, ErrorCode>> = {
  REFUSED_STREAM: 'UNAVAILABLE',
  CONNECT_ERROR: 'UNAVAILABLE',
  SETTINGS_TIMEOUT: 'UNAVAILABLE',
  CANCEL: 'CANCELLED',
  ENHANCE_YOUR_CALM: 'RESOURCE_EXHAUSTED',
};

/** The same for an answer that does not come from a gRPC server but from what stands before it. */
const codeOfHttpStatus: Record<string, ErrorCode> = {
  400: 'INTERNAL',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'UNIMPLEMENTED',
  429: 'UNAVAILABLE',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
};

/** One call of a client: `done` settles once, whatever ends it first: the answer, the deadline, the caller or the connection. */
export class ClientCall implements PlacingHandler {
  readonly done: Promise<void>;
  readonly #options: CallOptions;
  readonly #work: CallWork;
  readonly #reader: MessageReader;
  readonly #beganAtMs = performance.now();
  readonly #settle: { resolve: () => void; reject: (error: unknown) => void };
  #deadline: NodeJS.Timeout | undefined;
  #socket: Http2Socket | undefined;
  #stream: Http2Stream | undefined;
  /** The kernel may be writing to the memory of the caller. */
  #isHeld = false;
  #failure: unknown;
  #status: readonly Header[] | undefined;
  #isOver = false;

  constructor(options: CallOptions, work: CallWork) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    this.#settle = { resolve, reject };
    this.#options = options;
    this.#work = work;
    this.#reader = new MessageReader(work);
    const { deadlineMs, signal, address } = options;
    if (deadlineMs !== undefined) {
      const late = `server ${address}: no answer within ${deadlineMs} ms`;
      this.#deadline = setTimeout(() => this.fail(new TributaryError('DEADLINE_EXCEEDED', late)), deadlineMs);
    }
    if (signal?.aborted) this.#cancelled();
    else signal?.addEventListener('abort', this.#cancelled, { once: true });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Of a call that has begun. */
  get stream(): Http2Stream {
    return this.#stream!;
  }

  begin(socket: Http2Socket): void {
    const { path, address, deadlineMs } = this.#options;
    const headers: Header[] = [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', path],
      [':authority', address.startsWith('unix:') ? 'localhost' : address],
      ['te', 'trailers'],
      ['content-type', 'application/grpc'],
    ];
    if (deadlineMs !== undefined)
      headers.push(['grpc-timeout', formatTimeout(this.#beganAtMs + deadlineMs - performance.now())]);
    this.#socket = socket;
    this.#stream = socket.connection.request(headers, this, false);
    this.#work.send(this);
  }

  /** Ends it with `error`, and lets the server know. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#end();
    if (this.#isHeld) {
      // The caller wants its memory back now, and there is no other way to call off a read.
      this.#failure = error;
      this.#socket!.destroy();
    } else {
      this.#settle.reject(error);
      this.#stream?.reset('CANCEL', 'the caller gave up');
    }
  }

  place(): Uint8Array | undefined {
    return this.#isOver ? undefined : this.#reader.place;
  }

  held(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!isHeld && this.#failure !== undefined) this.#settle.reject(this.#failure);
  }

  headers(headers: readonly Header[]): void {
    const http = headers.find(([name]) => name === ':status')?.[1];
    const type = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
    if (http !== undefined && (http !== '200' || !type.startsWith('application/grpc'))) {
      this.fail(
        this.#error(
          codeOfHttpStatus[http] ?? 'UNKNOWN',
          `it answered with HTTP status ${http} and "${type}"`,
        ),
      );
    } else if (headers.some(([name]) => name === 'grpc-status')) this.#status = headers;
  }

  data(bytes: Uint8Array, begin: number, end: number): void {
    if (this.#isOver) return;
    this.stream.consume(end - begin);
    try {
      this.#reader.read(bytes, begin, end);
    } catch (error) {
      this.fail(error);
    }
  }

  ended(): void {
    if (this.#isOver) return;
    const error = this.#refusal();
    this.#end();
    if (error === undefined) this.#settle.resolve();
    else this.#settle.reject(error);
    // The server may answer before it has read everything.
    if (!this.stream.localEnded) this.stream.reset('CANCEL', 'the answer is there');
  }

  closed(error: Http2Error | undefined): void {
    if (this.#isOver) return;
    this.fail(
      this.#error(
        error === undefined ? 'INTERNAL' : (codeOfReset[error.code] ?? 'INTERNAL'),
        error?.message ?? 'no answer',
      ),
    );
  }

  /** Why the answer is none; undefined if it is a good one. */
  #refusal(): TributaryError | undefined {
    const status = this.#status?.find(([name]) => name === 'grpc-status')?.[1];
    if (status === undefined) return this.#error('INTERNAL', 'it ended its answer without a status');
    const message = this.#status!.find(([name]) => name === 'grpc-message')?.[1] ?? '';
    if (status !== '0') return this.#error(errorCodeOf(Number(status)), decodeStatusMessage(message));
    return this.#reader.atBoundary
      ? undefined
      : this.#error('INTERNAL', 'its answer ends in the middle of a message');
  }

  readonly #cancelled = () => this.fail(this.#error('CANCELLED', 'the call was cancelled'));

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#deadline);
    this.#options.signal?.removeEventListener('abort', this.#cancelled);
  }

  #error(code: ErrorCode, what: string): TributaryError {
    return new TributaryError(code, `server ${this.#options.address}: ${what}`);
  }
}
