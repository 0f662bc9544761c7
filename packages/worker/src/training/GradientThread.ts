import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { invariant } from '@tributary/core/errors/invariant.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { RankRange } from '@tributary/core/reduction/tree.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import '../config.ts';
import type {
  GradientReply,
  GradientRequest,
  GradientThreadData,
  NodeSum,
  Quantity,
  ReadAhead,
  SharedWork,
  TracedReply,
} from './gradientMessages.ts';

interface Waiting {
  resolve(reply: GradientReply): void;
  reject(error: Error): void;
}

/** The main thread's handle on the thread that computes: one request at a time, answered in order. */
export class GradientThread {
  readonly backend: string;
  readonly note: string;
  readonly #thread: Worker;
  readonly #replies: Waiting[];
  readonly #gone: Promise<unknown>;
  #examples = 0;

  private constructor(thread: Worker, replies: Waiting[], ready: { backend: string; note: string }) {
    this.#thread = thread;
    this.#gone = new Promise((resolve) => thread.once('exit', resolve));
    this.#replies = replies;
    this.backend = ready.backend;
    this.note = ready.note;
  }

  /** Spans of the thread are handed on to `trace`. */
  static async start(data: Omit<GradientThreadData, 'traced'>, trace?: Trace): Promise<GradientThread> {
    const thread = new Worker(new URL(`./gradientThreadMain${extname(import.meta.url)}`, import.meta.url), {
      workerData: { ...data, traced: trace !== undefined } satisfies GradientThreadData,
    });
    const replies: Waiting[] = [];
    const fail = (error: Error) => {
      for (const waiting of replies.splice(0)) waiting.reject(error);
    };
    thread.on('message', ({ spans, ...reply }: TracedReply) => {
      for (const span of spans ?? []) trace?.add(span);
      const waiting = replies.shift();
      invariant(waiting !== undefined, 'a reply answers a request');
      if (reply.kind === 'error') {
        waiting.reject(
          new TributaryError(reply.code, reply.message, reply.hint === undefined ? {} : { hint: reply.hint }),
        );
      } else waiting.resolve(reply);
    });
    thread.on('error', fail);
    thread.on('exit', () => fail(new Error('the compute thread ended')));
    const ready = await new Promise<GradientReply>((resolve, reject) => replies.push({ resolve, reject }));
    invariant(ready.kind === 'ready', 'the first message is that the thread is ready');
    return new GradientThread(thread, replies, ready);
  }

  /** For which a quantity was computed so far, each as often as that was done. */
  get examples(): number {
    return this.#examples;
  }

  /** Fills `target` (shared memory) with the sum over the node's ranks of (examples x mean of the quantity). */
  async sum(
    quantity: Quantity | SharedWork,
    node: RankRange,
    step: number,
    target: Float32Array,
  ): Promise<NodeSum> {
    const reply = await this.#ask({ kind: 'sum', quantity, node, step, target });
    invariant(reply.kind === 'sum', 'a sum answers a sum');
    this.#examples += reply.weight;
    return reply;
  }

  /** Lets it read what these ranks are to compute next, as long as nothing else is asked of it. */
  readAhead(ranks: readonly number[], step: number): void {
    this.#thread.postMessage({ kind: 'readAhead', ranks, step } satisfies ReadAhead);
  }

  async evaluate(at: Float32Array): Promise<{ loss: number; accuracy: number | null }> {
    const reply = await this.#ask({ kind: 'evaluate', at });
    invariant(reply.kind === 'evaluation', 'an evaluation answers an evaluation');
    return reply;
  }

  /** Waits for the operation under way. */
  async stop(): Promise<void> {
    this.#thread.postMessage({ kind: 'stop' } satisfies GradientRequest);
    await this.#gone;
  }

  #ask(request: GradientRequest): Promise<GradientReply> {
    return new Promise((resolve, reject) => {
      this.#replies.push({ resolve, reject });
      this.#thread.postMessage(request);
    });
  }
}
