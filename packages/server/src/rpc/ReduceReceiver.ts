import type { ReduceHeader } from '@tributary/client/transport/messages.ts';
import type { Received } from '@tributary/client/transport/parameterService.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Shard } from '../shard/Shard.ts';
import type { RpcContext } from './calls.ts';
import { GradientAssembly } from './GradientAssembly.ts';

/** What a caller gives to a sum, whole. */
export interface Contribution {
  readonly header: ReduceHeader;
  readonly shard: Shard;
  readonly values: Float32Array;
}

/** One contribution, whatever transport brings it. Every method may throw its refusal. */
export class ReduceReceiver {
  readonly #context: RpcContext;
  #begun: (Contribution & { readonly assembly: GradientAssembly }) | undefined;

  constructor(context: RpcContext) {
    this.#context = context;
  }

  message(message: Received<ReduceHeader>): void {
    if ('malformed' in message) throw message.malformed;
    if ('header' in message) this.#begin(message.header);
    else if (this.#begun === undefined)
      throw invalid('the first message of a contribution must be its header');
    else {
      this.#begun.assembly.add(message.chunk);
      if (this.#begun.assembly.tooLong) this.finish();
    }
  }

  /** Where a chunk may be put at once. */
  place(offset: number, bytes: number): Uint8Array | undefined {
    return this.#begun?.assembly.place(offset, bytes);
  }

  finish(): Contribution {
    if (this.#begun === undefined) throw invalid('a contribution without any message');
    const { header, assembly } = this.#begun;
    if (!assembly.complete) {
      const found = assembly.tooLong ? 'more' : assembly.received;
      throw invalid(`a vector of ${header.length} elements was promised, and ${found} came`);
    }
    return this.#begun;
  }

  #begin(header: ReduceHeader): void {
    if (this.#begun !== undefined) throw invalid('a second header came in one contribution');
    const { shard } = this.#context.loaded().find(header.target);
    // What can be refused outright is, before its chunks travel.
    shard.judgeReduce(header);
    const values = new Float32Array(header.length);
    this.#begun = {
      header,
      shard,
      values,
      assembly: new GradientAssembly([{ begin: 0, end: header.length }], { target: values }),
    };
  }
}

function invalid(message: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', message);
}
