import type { PullHeader, PullRequest } from '@tributary/client/transport/messages.ts';
import type { ChunkReceiver } from '@tributary/client/transport/ServerChannel.ts';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import type { TensorWriter } from '../rpc/TensorWriter.ts';
import { direct } from './PushGathering.ts';

/** An answer as it came. */
interface Answer {
  readonly header: PullHeader;
  readonly chunks: readonly Chunk[];
}

interface Asked {
  readonly step: number;
  readonly answer: Promise<Answer>;
}

/** Steps whose answers are kept: a slow worker may still ask for that before the newest. */
const stepsKept = 2;

/** The parameters of one shard, pulled once for all workers of a host: who asks for the same gets the same answer, byte for byte. */
export class SharedPulls {
  readonly #pull: (request: PullRequest, receiver: ChunkReceiver) => Promise<PullHeader>;
  /** By what was asked for. */
  readonly #asked = new Map<string, Asked>();

  /** `pull` asks the server. */
  constructor(pull: (request: PullRequest, receiver: ChunkReceiver) => Promise<PullHeader>) {
    this.#pull = pull;
  }

  /** Throws ABORTED where the server should be asked. */
  async answer(request: PullRequest, writer: TensorWriter<PullHeader>): Promise<void> {
    const { step, latest, average, changedOnly, encoding, since } = request;
    if (latest || average) throw direct('only the parameters of steps are shared');
    const key = [step, changedOnly, encoding, since].join();
    const asked = this.#asked.get(key) ?? { step, answer: this.#ask(key, request) };
    this.#asked.set(key, asked);
    const { header, chunks } = await untilAborted(asked.answer, writer.signal);
    await writer.answer(header, chunks);
  }

  async #ask(key: string, request: PullRequest): Promise<Answer> {
    for (const [other, { step }] of this.#asked)
      if (step <= request.step - stepsKept) this.#asked.delete(other);
    const chunks: Chunk[] = [];
    let place: Buffer | undefined;
    const receiver: ChunkReceiver = {
      place: (_, bytes) => (place = Buffer.allocUnsafeSlow(bytes)),
      add: ({ offset, data }) => chunks.push({ offset, data: data === place ? data : Buffer.from(data) }),
    };
    try {
      const header = await this.#pull(request, receiver);
      // It has to be asked again.
      if (!header.ready) this.#asked.delete(key);
      return { header, chunks };
    } catch (error) {
      this.#asked.delete(key);
      throw direct((error as Error).message);
    }
  }
}

/** Rejects when `signal` fires, whatever becomes of the promise. */
function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const gone = Promise.withResolvers<never>();
  const abort = () => gone.reject(direct('the caller is gone'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([promise, gone.promise]).finally(() => signal.removeEventListener('abort', abort));
}
