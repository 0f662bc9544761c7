import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import type { Progress } from './progressText.ts';

type Usage = Extract<MetricEntry, { kind: 'usage' }>;

/** The state of a run, gathered from its metrics. */
export class RunProgress {
  readonly #spec: JobSpec;
  #step = 0;
  #firstStep: number | undefined;
  #loss = Number.NaN;
  #accuracy: number | undefined;
  #staleness = 0;
  #updates = 0;
  #batchSteps = 1;
  #examples = 0;
  readonly #qaoa = { blocks: 0, ratios: 0, optima: 0 };
  #firstAtMs = 0;
  #lastAtMs = 0;
  readonly #backends = new Set<string>();
  readonly #transports = new Set<string>();
  /** The last word of every process. */
  readonly #usage = new Map<string, Usage>();

  constructor(spec: JobSpec) {
    this.#spec = spec;
  }

  /** When the ranks began; later calls, as after a server was replaced, change nothing. */
  start(startedAtMs: number): void {
    if (this.#firstAtMs === 0) this.#firstAtMs = startedAtMs;
  }

  add(entry: MetricEntry): void {
    if (entry.kind === 'evaluation') this.#accuracy = entry.accuracy ?? undefined;
    if (entry.kind === 'compute') {
      this.#backends.add(entry.backend);
      this.#transports.add(entry.transport);
    }
    if (entry.kind === 'noise') {
      this.#updates++;
      this.#batchSteps = entry.nextSteps;
    }
    if (entry.kind === 'qaoa') {
      this.#qaoa.blocks += entry.blocks;
      this.#qaoa.ratios += entry.blocks * entry.ratio;
      this.#qaoa.optima += entry.optima;
    }
    if (entry.kind === 'usage') this.#usage.set(entry.member, entry);
    if (entry.kind !== 'step') return;
    this.#firstStep ??= entry.step;
    this.#step = Math.max(this.#step, entry.step + 1);
    this.#loss = entry.loss;
    this.#staleness = entry.staleness;
    this.#examples += entry.examples;
    this.#lastAtMs = entry.timeMs;
    if (this.#firstAtMs === 0) this.#firstAtMs = entry.timeMs;
  }

  /** Of a job that adapts its batch: updates made, and the examples of the next one. Undefined of others. */
  get batch(): { readonly updates: number; readonly examples: number } | undefined {
    const { adaptiveBatch, ranks, batchSize } = this.#spec;
    if (adaptiveBatch === undefined) return undefined;
    return { updates: this.#updates, examples: this.#batchSteps * ranks * batchSize };
  }

  /** How near QAOA came to the optima of all blocks that it solved; undefined if it solved none. */
  get qaoa():
    | { readonly blocks: number; readonly approximationRatio: number; readonly optima: number }
    | undefined {
    const { blocks, ratios, optima } = this.#qaoa;
    return blocks === 0 ? undefined : { blocks, approximationRatio: ratios / blocks, optima };
  }

  /** Of the last step that closed. */
  get loss(): number {
    return this.#loss;
  }

  get examples(): number {
    return this.#examples;
  }

  /** What carries the gradients of the workers: one, unless they were started differently. */
  get transports(): string {
    return [...this.#transports].sort().join(' and ');
  }

  /** Those that the workers computed with: one, unless their machines differ. */
  get backends(): string {
    return [...this.#backends].sort().join(' and ');
  }

  /** Over the training data, by all workers; gradients, products and trials of a line search alike. */
  get passes(): number {
    return this.#used('examples') / this.#spec.trainSize;
  }

  get pushedBytes(): number {
    return this.#used('pushedBytes');
  }

  get pulledBytes(): number {
    return this.#used('pulledBytes');
  }

  /** The sum of what each process took at most. */
  get memoryBytes(): number {
    return this.#used('memoryBytes');
  }

  /** From the begin of the first step to the end of the last, ms. */
  get trainMs(): number {
    return Math.max(0, this.#lastAtMs - this.#firstAtMs);
  }

  get samplesPerSecond(): number {
    return this.trainMs === 0 ? 0 : (this.#examples * 1000) / this.trainMs;
  }

  #used(what: 'examples' | 'pushedBytes' | 'pulledBytes' | 'memoryBytes'): number {
    return [...this.#usage.values()].reduce((sum, usage) => sum + usage[what], 0);
  }

  now(): Progress {
    return {
      step: this.#step,
      firstStep: this.#firstStep ?? 0,
      endStep: this.#spec.steps,
      loss: this.#loss,
      accuracy: this.#accuracy,
      samplesPerSecond: this.samplesPerSecond,
      staleness: this.#staleness,
      batchExamples: this.batch?.examples,
      elapsedMs: this.trainMs,
    };
  }
}
