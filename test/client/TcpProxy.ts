import { connect, createServer, type Server, type Socket } from 'node:net';

/** A wire between client and server that a test can cut, make deaf, or make long. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #forwarded = 0;
  #cutAfterBytes = Number.POSITIVE_INFINITY;
  /** While false, what the server answers gets lost. */
  repliesPass = true;
  /** Connections, and bytes that clients and the server sent, so far. */
  connections = 0;
  sentBytes = 0;
  answeredBytes = 0;

  private constructor(target: string, delayMs: number) {
    const [host, port] = target.split(':');
    // Timers of one length fire in their order.
    const later = (send: () => void) => void (delayMs === 0 ? send() : setTimeout(send, delayMs));
    // It is not to add what the sockets themselves wait for, to send a little more at once.
    this.#server = createServer({ noDelay: true }, (near) => {
      this.connections++;
      const far = connect({ port: Number(port), host, noDelay: true });
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          near.destroy();
          far.destroy();
          this.#sockets.delete(socket);
        });
      }
      near.on('data', (bytes) => {
        this.sentBytes += bytes.length;
        this.#forwarded += bytes.length;
        if (this.#forwarded > this.#cutAfterBytes) this.cut();
        else later(() => far.write(bytes));
      });
      far.on('data', (bytes) => {
        this.answeredBytes += bytes.length;
        if (this.repliesPass) later(() => near.write(bytes));
      });
    });
  }

  /** With `delayMs` in either direction. */
  static async to(target: string, { delayMs = 0 } = {}): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, delayMs);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `127.0.0.1:${address.port}`;
  }

  /** Cuts all connections as they are; new ones may come. */
  cut(): void {
    this.#cutAfterBytes = Number.POSITIVE_INFINITY;
    this.repliesPass = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Cuts once this many further bytes came from the client. */
  cutAfter(bytes: number): void {
    this.#forwarded = 0;
    this.#cutAfterBytes = bytes;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
