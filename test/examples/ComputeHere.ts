import type { GradientThread } from '@tributary/worker/training/GradientThread.ts';
import type { GradientThreadData } from '@tributary/worker/training/gradientMessages.ts';
import { openTraining, type Training } from '@tributary/worker/training/openTraining.ts';

type Thread = Pick<GradientThread, keyof GradientThread>;

/** Takes the place of the thread that computes, where starting one would take longer than what it computes. */
export class ComputeHere implements Thread {
  readonly #training: Training;
  examples = 0;

  private constructor(training: Training) {
    this.#training = training;
  }

  static async start(data: GradientThreadData): Promise<ComputeHere> {
    return new ComputeHere(await openTraining(data));
  }

  get backend(): string {
    return this.#training.backend;
  }

  get note(): string {
    return this.#training.note;
  }

  async sum(...[quantity, node, step, target]: Parameters<Thread['sum']>): ReturnType<Thread['sum']> {
    const sum = await this.#training.sums.sum(quantity, node, step, target);
    this.examples += sum.weight;
    return sum;
  }

  readAhead(...[ranks, step]: Parameters<Thread['readAhead']>): void {
    this.#training.readAhead(ranks, step);
  }

  async evaluate(at: Float32Array): ReturnType<Thread['evaluate']> {
    const { loss, accuracy = null } = await this.#training.evaluate(at);
    return { loss, accuracy };
  }

  async stop(): Promise<void> {}
}
