import type { PushHeader, PushReply } from '@tributary/client/transport/messages.ts';
import type { Received } from '@tributary/client/transport/parameterService.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import type { PushSink } from '../rpc/ExchangeSession.ts';
import { GradientAssembly } from '../rpc/GradientAssembly.ts';
import { direct, type PushGathering } from './PushGathering.ts';

/** What a push by way of an aggregator goes to. */
export interface GatheredShard {
  readonly gathering: PushGathering;
  /** What a push of this step brings, counted from the begin of the shard. */
  live(step: number): Range[];
  allFinite(values: Float32Array): boolean;
}

/** One push to an aggregator. Whatever is not as it should be is for the server to refuse: it says it in its own words. */
export class GatheredPush implements PushSink {
  readonly #find: (header: PushHeader) => GatheredShard;
  #begun:
    | { header: PushHeader; gathering: PushGathering; vector: Float32Array; assembly: GradientAssembly }
    | undefined;
  #isTaken = false;

  /** `find` throws for a shard that is not known here. */
  constructor(find: (header: PushHeader) => GatheredShard) {
    this.#find = find;
  }

  get tooLong(): boolean {
    return this.#begun?.assembly.tooLong === true;
  }

  message(received: Received<PushHeader>): void {
    if ('malformed' in received) throw received.malformed;
    if ('chunk' in received) this.#begun!.assembly.add(received.chunk);
    else this.#begin(received.header);
  }

  place(offset: number, bytes: number): Uint8Array | undefined {
    return this.#begun?.assembly.place(offset, bytes);
  }

  finish(): Promise<PushReply> {
    const { header, gathering, vector, assembly } = this.#begun!;
    if (!assembly.complete || !assembly.finite || !Number.isFinite(header.loss)) {
      gathering.passBy(header);
      throw direct('it is not as long as the shard, or not finite');
    }
    const reply = gathering.push(header, vector);
    this.#isTaken = true;
    return reply;
  }

  close(): void {
    if (this.#begun !== undefined && !this.#isTaken) this.#begun.gathering.giveVector(this.#begun.vector);
  }

  #begin(header: PushHeader): void {
    const { gathering, live, allFinite } = this.#find(header);
    if (header.weight === 0) gathering.passBy(header);
    gathering.judge(header);
    const vector = gathering.takeVector();
    const assembly = new GradientAssembly(live(header.step), { target: vector, allFinite });
    this.#begun = { header, gathering, vector, assembly };
  }
}
