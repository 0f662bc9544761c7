import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './freePort.ts';
import { redisBinary } from './redisBinary.ts';

/** A redis-server of the tests' own, which they may stop, kill and start again on the same port and folder. */
export class RedisProcess {
  readonly binary: string;
  readonly port: number;
  readonly folder: string;
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined;
  #guard: ChildProcess | undefined;

  private constructor(binary: string, port: number, folder: string, settings: readonly string[]) {
    this.binary = binary;
    this.port = port;
    this.folder = folder;
    this.#settings = settings;
  }

  /** `settings` as on the command line: '--appendonly', 'yes'. */
  static async start(settings: readonly string[] = []): Promise<RedisProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-redis-'));
    const redis = new RedisProcess(await redisBinary(), await freePort(), folder, settings);
    await redis.begin();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts the process (again) and waits until it answers. */
  async begin(): Promise<void> {
    const child = spawn(
      this.binary,
      [
        ...['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder],
        ...['--save', '', '--appendonly', 'no', '--daemonize', 'no'],
        ...this.#settings,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        log = (log + text).slice(-2000);
      });
    }
    this.#child = child;
    this.#guard = guard(child.pid!, this.folder);
    while (!(await this.#answers())) {
      if (child.exitCode !== null) throw new Error(`${this.binary} ended at once:\n${log}`);
      await sleep(20);
    }
  }

  /** Sends a signal without waiting for its effect, as SIGSTOP has none that could be waited for. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** kill -9, waited for. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    this.#guard?.kill('SIGKILL');
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends the process for good and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Whether it has loaded its data and takes commands (or asks for a password first). */
  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write('PING\r\n'));
      socket.once('data', (reply) => {
        resolve(/^(\+PONG|-NOAUTH)/.test(reply.toString()));
        socket.destroy();
      });
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
    });
  }
}

/** A shell that outlives us, however we end: its input is a pipe from us, and once that closes it ends the server. */
function guard(pid: number, folder: string): ChildProcess {
  const script = 'read -r _; kill -9 "$1"; rm -rf "$2"';
  return spawn('sh', ['-c', script, 'sh', String(pid), folder], { stdio: ['pipe', 'ignore', 'ignore'] });
}
