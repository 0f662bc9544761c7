import type { Schedule } from '@tributary/coordinator/schedule.ts';

/** Timers that the test runs by hand. */
export class ManualSchedule {
  readonly #waiting = new Map<() => void, number>();

  readonly schedule: Schedule = (task, delayMs) => {
    this.#waiting.set(task, delayMs);
    return () => this.#waiting.delete(task);
  };

  /** The delays of the timers that are set. */
  get delaysMs(): number[] {
    return [...this.#waiting.values()];
  }

  /** Runs the timers that are set now, and lets what they began go on as far as it goes without a clock or a socket. */
  async fire(): Promise<void> {
    const tasks = [...this.#waiting.keys()];
    this.#waiting.clear();
    for (const task of tasks) task();
    await new Promise(setImmediate);
  }
}
