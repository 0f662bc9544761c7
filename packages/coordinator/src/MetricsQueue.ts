import { randomUUID } from 'node:crypto';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { Coordinator, MetricEntry } from './Coordinator.ts';
import { type Schedule, schedule } from './schedule.ts';

/**
 * Takes metrics without waiting and writes them in batches. While the coordinator is away they are kept, up to a bound, and written in order once it is back,
 * each once: a batch whose reply was lost is sent again as the same batch.
 */
export class MetricsQueue {
  readonly #coordinator: Pick<Coordinator, 'appendMetrics'>;
  readonly #schedule: Schedule;
  readonly #writer = randomUUID();
  /** Sent, and not known to be written. Nothing else is sent before it. */
  #batch: MetricEntry[] = [];
  #sequence = 0;
  #waiting: MetricEntry[] = [];
  #dropped = 0;
  #cancelTimer: (() => void) | undefined;
  #flushing: Promise<boolean> | undefined;
  #closed = false;

  constructor(coordinator: Pick<Coordinator, 'appendMetrics'>, options: { schedule?: Schedule } = {}) {
    this.#coordinator = coordinator;
    this.#schedule = options.schedule ?? schedule;
  }

  /** Entries lost because more waited than limits.metricsQueueMax, or because the coordinator was away at the end. */
  get dropped(): number {
    return this.#dropped;
  }

  append(entry: MetricEntry): void {
    if (this.#closed) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(entry);
    if (this.#waiting.length > limits.metricsQueueMax) {
      this.#waiting.shift();
      this.#dropped++;
    }
    this.#arm();
  }

  /** Writes what waits, as far as the coordinator takes it. */
  async flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#flushing ??= this.#writeAll().finally(() => {
      this.#flushing = undefined;
    });
    if (!(await this.#flushing)) this.#arm();
  }

  /** Writes what waits, once; what the coordinator does not take is dropped and counted. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
    await this.flush();
    this.#dropped += this.#batch.length + this.#waiting.length;
    this.#batch = [];
    this.#waiting = [];
  }

  #arm(): void {
    if (this.#closed) return;
    this.#cancelTimer ??= this.#schedule(() => this.flush(), limits.metricsFlushMs);
  }

  /** Whether all was written. */
  async #writeAll(): Promise<boolean> {
    for (;;) {
      if (this.#batch.length === 0) {
        if (this.#waiting.length === 0) return true;
        this.#batch = this.#waiting.splice(0, limits.metricsBatchMax);
        this.#sequence++;
      }
      try {
        await this.#coordinator.appendMetrics(this.#batch, {
          writer: this.#writer,
          sequence: this.#sequence,
        });
        this.#batch = [];
      } catch (error) {
        if (!(error instanceof TributaryError)) throw error;
        return false;
      }
    }
  }
}
