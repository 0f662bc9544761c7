import type { Http2Error, Http2ErrorName } from './Http2Error.ts';
import type { Header } from './hpack/Header.ts';

/** What the application does with what comes on a stream. A method must not throw. */
export interface StreamHandler {
  /** Of a client's stream: the headers of the response, then perhaps its trailers. A server gets those of the request when the stream opens. */
  headers(headers: readonly Header[]): void;
  /** Bytes as they came, to be used now. They count against the window until `consume` is called for them. */
  data(bytes: Uint8Array, begin: number, end: number): void;
  /** The peer has sent all. */
  ended(): void;
  /** Once, at last. `error` says why the stream did not end in order. Nothing of the application's is read any more once every `taken` was called. */
  closed(error: Http2Error | undefined): void;
}

export interface SendOptions {
  /** Called once, when no one will read the parts any more: they have left, or never will. */
  readonly taken?: () => void;
  /** Nothing follows. */
  readonly last?: boolean;
}

/** What the connection does for its streams. */
export interface StreamCarrier {
  sendHeaders(stream: Http2Stream, headers: readonly Header[], last: boolean): void;
  wake(stream: Http2Stream): void;
  consumed(stream: Http2Stream, bytes: number): void;
  reset(stream: Http2Stream, code: Http2ErrorName, message: string): void;
}

/** Bytes that wait for room in the windows and on the wire. */
export interface Outgoing {
  readonly parts: Uint8Array[];
  bytesLeft: number;
  /** Frames cut from it that the socket still has. */
  underWay: number;
  readonly last: boolean;
  readonly taken: (() => void) | undefined;
}

/** One exchange on a connection. The fields are the connection's to change; the application calls the methods. */
export class Http2Stream {
  readonly id: number;
  readonly #carrier: StreamCarrier;
  handler!: StreamHandler;
  /** What the peer lets us send; may be below 0 after it made its window smaller. */
  sendWindow: number;
  /** What we let the peer send. */
  receiveWindow: number;
  /** Consumed, and not yet given back to the peer as window. */
  unacknowledged = 0;
  /** Received, and not yet consumed. */
  unconsumed = 0;
  /** What the header content-length promised and has not come yet. */
  contentLeft: number | undefined;
  /** The headers that open the stream have come. */
  opened = false;
  remoteEnded = false;
  localEnded = false;
  closed = false;
  readonly queue: Outgoing[] = [];
  /** Ends the stream when the queue is empty. */
  trailers: readonly Header[] | undefined;

  constructor(id: number, carrier: StreamCarrier, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.#carrier = carrier;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }

  /** Opens the request or the response. `last`: nothing follows. */
  sendHeaders(headers: readonly Header[], last = false): void {
    this.#carrier.sendHeaders(this, headers, last);
  }

  /** Sends bytes once there is room. The parts must not change until `taken` is called. */
  send(parts: readonly Uint8Array[], { taken, last = false }: SendOptions = {}): void {
    if (this.closed) {
      taken?.();
      return;
    }
    const bytesLeft = parts.reduce((sum, { length }) => sum + length, 0);
    this.queue.push({ parts: [...parts], bytesLeft, underWay: 0, last, taken });
    this.#carrier.wake(this);
  }

  /** Ends our side, with trailers, after all that was sent. */
  end(trailers: readonly Header[]): void {
    this.trailers = trailers;
    this.#carrier.wake(this);
  }

  /** The application is done with so many of the bytes that it got. */
  consume(bytes: number): void {
    this.#carrier.consumed(this, bytes);
  }

  /** Breaks off. What is not on its way yet is never sent. */
  reset(code: Http2ErrorName, message: string): void {
    this.#carrier.reset(this, code, message);
  }
}
