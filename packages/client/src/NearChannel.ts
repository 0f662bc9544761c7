import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { openChannel } from './transport/openChannel.ts';
import type { ServerChannel } from './transport/ServerChannel.ts';

/** A call over some channel, to be given up after a time or when `until` fires. */
export type ChannelCall<Result> = (
  channel: ServerChannel,
  deadlineMs: number,
  until: AbortSignal,
) => Promise<Result>;

/** The way to the servers by the aggregator of this host. It is left alone for a time when it fails. */
export class NearChannel {
  readonly #channel: ServerChannel;
  readonly #log: (message: string) => void;
  #backAtMs = 0;
  #isFailing = false;

  constructor(address: string, log: (message: string) => void) {
    this.#channel = openChannel(address, 'fast');
    this.#log = log;
  }

  /** One try. Undefined where it came to nothing: then the server itself is to be asked. Throws once `until` has fired. */
  async attempt<Result>(call: ChannelCall<Result>, until: AbortSignal): Promise<Result | undefined> {
    if (performance.now() < this.#backAtMs) return undefined;
    try {
      const result = await call(this.#channel, limits.aggregatorDeadlineMs, until);
      this.#isFailing = false;
      return result;
    } catch (error) {
      if (until.aborted || !(error instanceof TributaryError)) throw error;
      // ABORTED is its word for: not by way of me, this time.
      if (error.code !== 'ABORTED') this.#leave(error);
      return undefined;
    }
  }

  close(): void {
    this.#channel.close();
  }

  #leave(error: TributaryError): void {
    if (!this.#isFailing) this.#log(`the aggregator: ${error.message}; going to the servers`);
    this.#isFailing = true;
    this.#backAtMs = performance.now() + limits.aggregatorAwayMs;
  }
}
