import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import type { PullHeader, ReduceTotalHeader } from './transport/messages.ts';
import type { ChunkReceiver } from './transport/ServerChannel.ts';

/** Tells the time until the first chunk comes, in which the server may be waiting for others, from the time that the chunks take. */
export class TracedReceiver implements ChunkReceiver {
  readonly #receiver: ChunkReceiver;
  readonly #startPull: () => () => void;
  #end: () => void;
  #isWaiting = true;

  constructor(receiver: ChunkReceiver, trace: Trace, shard: number, step: number) {
    this.#receiver = receiver;
    const row = `pull shard ${shard}`;
    this.#end = trace.begin(row, 'wait', { step });
    this.#startPull = () => trace.begin(row, 'pull', { step });
  }

  begin(header: PullHeader | ReduceTotalHeader): void {
    this.#receiver.begin?.(header);
  }

  place(offset: number, bytes: number): Uint8Array | undefined {
    this.#began();
    return this.#receiver.place(offset, bytes);
  }

  add(chunk: Chunk): void {
    this.#began();
    this.#receiver.add(chunk);
  }

  end(): void {
    this.#end();
  }

  #began(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#end();
    this.#end = this.#startPull();
  }
}
