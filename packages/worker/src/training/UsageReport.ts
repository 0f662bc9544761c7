import type { Traffic } from '@tributary/client/ParameterClient.ts';
import type { MetricsQueue } from '@tributary/coordinator/MetricsQueue.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { GradientThread } from './GradientThread.ts';

/** Tells the job's metrics what this worker has used: computed examples, bytes, memory. */
export class UsageReport {
  readonly traffic: Traffic = { pushedBytes: 0, pulledBytes: 0 };
  readonly #member: string;
  readonly #thread: GradientThread;
  readonly #metrics: MetricsQueue;
  #step = 0;
  #memoryBytes = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(member: string, thread: GradientThread, metrics: MetricsQueue) {
    this.#member = member;
    this.#thread = thread;
    this.#metrics = metrics;
  }

  /** After a step; says something only if it did not just now. */
  tell(stepsDone: number): void {
    this.#step = stepsDone;
    if (performance.now() - this.#toldAtMs >= limits.usageEveryMs) this.tellNow();
  }

  tellNow(): void {
    this.#toldAtMs = performance.now();
    this.#memoryBytes = Math.max(this.#memoryBytes, process.memoryUsage.rss());
    this.#metrics.append({
      ...{ kind: 'usage', member: this.#member, step: this.#step, examples: this.#thread.examples },
      ...this.traffic,
      memoryBytes: this.#memoryBytes,
      timeMs: Date.now(),
    });
  }
}
