import { type ChildProcess, spawn } from 'node:child_process';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { childEnvironment, childFlags } from '../config.ts';
import { exitCodes } from '../exitCodes.ts';

export interface LocalClusterOptions {
  readonly servers: number;
  readonly workers: number;
  /** Its URL. Children read it from their environment: it may have a password, and everybody sees the arguments of a process. */
  readonly coordinator: string;
  /** Of one of the servers, counted from 0. */
  readonly serverArguments: (index: number) => readonly string[];
  readonly workerArguments: readonly string[];
  /** Where a process is to write its trace, if it is to. */
  readonly traceOf?: ((process: string) => string) | undefined;
  /** One line of a child's standard error. */
  readonly onLine: (source: string, line: string) => void;
}

interface Seat {
  readonly name: string;
  readonly command: readonly string[];
  child: ChildProcess | undefined;
  restarts: number;
  lastLine: string;
}

/**
 * The server and worker processes of `tributary train`. A process that dies is started anew, a few times; one that refuses (a bad job
 * file, data that is not there) fails the cluster at once. Children leave by themselves when this process is gone, however it went: each holds a
 * channel to it that then closes.
 */
export class LocalCluster {
  readonly #options: LocalClusterOptions;
  readonly #seats: Seat[];
  #stopping = false;
  #fail!: (error: TributaryError) => void;
  /** Rejects when a process cannot be kept alive; never resolves. */
  readonly failed: Promise<never>;

  constructor(options: LocalClusterOptions) {
    this.#options = options;
    const seats = (role: string, count: number, command: (index: number) => readonly string[]): Seat[] =>
      Array.from({ length: count }, (_, index) => ({
        name: `${role} ${index + 1}`,
        command: [role, ...command(index)],
        child: undefined,
        restarts: 0,
        lastLine: '',
      }));
    this.#seats = [
      ...seats('server', options.servers, options.serverArguments),
      ...seats('worker', options.workers, () => options.workerArguments),
    ];
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  start(): void {
    for (const seat of this.#seats) this.#spawn(seat);
  }

  /** Asks all to leave, and kills those that do not in time. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const children = this.#seats
      .map((seat) => seat.child)
      .filter((child) => child !== undefined && child.exitCode === null && child.signalCode === null);
    await Promise.all(
      children.map(async (child) => {
        const gone = new Promise((resolve) => child!.once('exit', resolve));
        child!.kill('SIGTERM');
        const timer = new AbortController();
        await Promise.race([
          gone,
          sleep(limits.leaveMs, undefined, { signal: timer.signal }).then(() => child!.kill('SIGKILL')),
        ]);
        timer.abort();
      }),
    );
  }

  #spawn(seat: Seat): void {
    const main = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));
    const started = seat.restarts === 0 ? seat.name : `${seat.name}, start ${seat.restarts + 1}`;
    const trace = this.#options.traceOf?.(started);
    const command = [...seat.command, '--managed', ...(trace === undefined ? [] : ['--trace', trace])];
    const child = spawn(process.execPath, [...childFlags, main, ...command], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...childEnvironment, TRIBUTARY_COORDINATOR: this.#options.coordinator },
    });
    seat.child = child;
    createInterface({ input: child.stderr! }).on('line', (line) => {
      seat.lastLine = line;
      this.#options.onLine(seat.name, line);
    });
    child.once('exit', (code, signal) => void this.#exited(seat, code, signal));
  }

  async #exited(seat: Seat, code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    if (this.#stopping || code === exitCodes.done) return;
    const how = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
    const refused = code === exitCodes.refused;
    if (refused || seat.restarts >= limits.restartsMax) {
      // Its last line is read from a pipe that may drain after the exit.
      await sleep(limits.drainMs);
      this.#fail(
        new TributaryError(
          refused ? 'FAILED_PRECONDITION' : 'ABORTED',
          `${seat.name} ${how}${seat.lastLine === '' ? '' : `: ${seat.lastLine}`}`,
        ),
      );
      return;
    }
    seat.restarts++;
    this.#options.onLine(seat.name, `${how}; started anew (${seat.restarts} of ${limits.restartsMax})`);
    await sleep(limits.restartDelayMs);
    if (!this.#stopping) this.#spawn(seat);
  }
}
