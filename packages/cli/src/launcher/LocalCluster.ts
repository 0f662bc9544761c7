import { type ChildProcess, spawn } from 'node:child_process';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { NamedTransport } from '@tributary/client/transport/transport.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { ComputeChoice } from '@tributary/worker/compute/openBackend.ts';
import { childEnvironment, childFlags } from '../config.ts';
import { exitCodes } from '../exitCodes.ts';
import { TraceParts } from '../trace/TraceParts.ts';
import type { JobPlace, LauncherMessage } from './jobsOf.ts';
import { SocketFolder } from './SocketFolder.ts';

/** The processes that train, as flags say them. */
export interface ClusterFlags {
  readonly servers: number;
  readonly workers: number;
  readonly leaseMs: number;
  readonly compute: ComputeChoice;
  readonly computeThreads: number;
  readonly selfCheck: boolean;
  readonly transport: NamedTransport;
  /** The workers share an aggregator. */
  readonly aggregate?: boolean;
  /** The file for a trace of all processes. */
  readonly trace?: string;
  readonly verbose?: boolean;
}

/** What becomes of a job that the processes were given. */
export interface ClusterJob {
  readonly place: JobPlace;
  /** One line of a child's standard error. */
  readonly onLine: (source: string, line: string) => void;
  /** A process cannot be kept alive. */
  readonly onFailed: (error: TributaryError) => void;
}

interface Seat {
  readonly name: string;
  readonly command: readonly string[];
  child: ChildProcess | undefined;
  /** The child has left the job, or there is none. */
  left: PromiseWithResolvers<void>;
  /** Of this job. */
  restarts: number;
  starts: number;
  lastLine: string;
}

/**
 * Server and worker processes that take one job after the other: that of `tributary train`, the trials of `tune` and `compare`. A process that dies is started anew, a few
 * times for each job; one that refuses (a bad job file, data that is not there) fails the job at once, and the next job has a new one in its place. Children leave by
 * themselves when this process is gone, however it went: each holds a channel to it that then closes.
 */
export class LocalCluster {
  readonly flags: ClusterFlags;
  readonly #sockets: SocketFolder | undefined;
  readonly #trace: TraceParts | undefined;
  readonly #seats: Seat[];
  #job: ClusterJob | undefined;

  /** Nothing is started yet. Throws, naming the path, where a trace cannot be written. */
  constructor(jobFile: string, flags: ClusterFlags) {
    this.flags = flags;
    this.#trace = flags.trace === undefined ? undefined : new TraceParts(flags.trace);
    const { servers, workers, aggregate, leaseMs, transport, compute, computeThreads, selfCheck } = flags;
    const sockets = transport === 'auto' || aggregate ? SocketFolder.create() : undefined;
    this.#sockets = sockets;
    const common = ['--managed', '--transport', transport];
    const leases = ['--lease-ms', String(leaseMs)];
    const bind = (name: string) => (transport === 'auto' && sockets?.address(name)) || '127.0.0.1:0';
    const aggregator = aggregate ? sockets!.address('aggregator') : undefined;
    const working = [
      ...['--compute', compute, '--compute-threads', String(computeThreads)],
      ...(selfCheck ? [] : ['--no-self-check']),
      ...(aggregator === undefined ? [] : ['--aggregator', aggregator]),
    ];
    this.#seats = [
      ...seats('server', servers, (index) => [...common, ...leases, '--bind', bind(`server-${index + 1}`)]),
      ...(aggregator === undefined ? [] : seats('aggregator', 1, () => [...common, '--bind', aggregator])),
      ...seats('worker', workers, () => [jobFile, ...common, ...leases, ...working]),
    ];
  }

  /** Gives all processes a job, and starts those that are not there. */
  begin(job: ClusterJob): void {
    this.#job = job;
    for (const seat of this.#seats) {
      seat.restarts = 0;
      if (seat.child === undefined) this.#spawn(seat);
      this.#give(seat, job);
    }
  }

  /** Asks all to leave the job, and kills those that do not in time. The others wait for the next. */
  async end(): Promise<void> {
    this.#job = undefined;
    await Promise.all(
      this.#seats.map((seat) => {
        tell(seat.child, { kind: 'end' });
        return inTime(seat.left.promise, seat.child);
      }),
    );
  }

  /** Asks all processes to leave, and kills those that do not in time; `begin` would start new ones. */
  async stop(): Promise<void> {
    this.#job = undefined;
    await Promise.all(
      this.#seats.map(async ({ child }) => {
        if (child === undefined) return;
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await inTime(gone, child);
      }),
    );
  }

  /** As stop, and nothing is left behind but the trace. */
  async close(): Promise<void> {
    await this.stop();
    await this.#trace?.merge();
    this.#sockets?.remove();
  }

  #spawn(seat: Seat): void {
    const main = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));
    seat.starts++;
    const started = seat.starts === 1 ? seat.name : `${seat.name}, start ${seat.starts}`;
    const trace = this.#trace?.part(started);
    const command = [...seat.command, ...(trace === undefined ? [] : ['--trace', trace])];
    const child = spawn(process.execPath, [...childFlags, main, ...command], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: childEnvironment,
    });
    seat.child = child;
    seat.lastLine = '';
    createInterface({ input: child.stderr! }).on('line', (line) => {
      seat.lastLine = line;
      this.#job?.onLine(seat.name, line);
    });
    child.on('message', () => seat.left.resolve());
    child.once('exit', (code, signal) => void this.#exited(seat, code, signal));
  }

  /** The place travels by the channel: it may have a password, and everybody sees the arguments of a process. */
  #give(seat: Seat, { place }: ClusterJob): void {
    seat.left = Promise.withResolvers();
    tell(seat.child, { kind: 'begin', ...place });
  }

  async #exited(seat: Seat, code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    seat.child = undefined;
    seat.left.resolve();
    const job = this.#job;
    if (job === undefined || code === exitCodes.done) return;
    const how = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
    const refused = code === exitCodes.refused;
    if (refused || seat.restarts >= limits.restartsMax) {
      // Its last line is read from a pipe that may drain after the exit.
      await sleep(limits.drainMs);
      job.onFailed(
        new TributaryError(
          refused ? 'FAILED_PRECONDITION' : 'ABORTED',
          `${seat.name} ${how}${seat.lastLine === '' ? '' : `: ${seat.lastLine}`}`,
        ),
      );
      return;
    }
    seat.restarts++;
    job.onLine(seat.name, `${how}; started anew (${seat.restarts} of ${limits.restartsMax})`);
    await sleep(limits.restartDelayMs);
    if (this.#job !== job) return;
    this.#spawn(seat);
    this.#give(seat, job);
  }
}

function seats(role: string, count: number, options: (index: number) => readonly string[]): Seat[] {
  const left = Promise.withResolvers<void>();
  left.resolve();
  return Array.from({ length: count }, (_, index) => ({
    ...{ name: `${role} ${index + 1}`, command: [role, ...options(index)] },
    ...{ child: undefined, left, restarts: 0, starts: 0, lastLine: '' },
  }));
}

/** One that is just dying hears nothing; its exit tells. */
function tell(child: ChildProcess | undefined, message: LauncherMessage): void {
  if (child?.connected) child.send(message, () => {});
}

/** Waits for what a child was asked to do, and kills it when it takes too long. */
async function inTime(done: Promise<unknown>, child: ChildProcess | undefined): Promise<void> {
  const timer = new AbortController();
  await Promise.race([
    done,
    sleep(limits.leaveMs, undefined, { signal: timer.signal }).then(() => child?.kill('SIGKILL')),
  ]);
  timer.abort();
}
