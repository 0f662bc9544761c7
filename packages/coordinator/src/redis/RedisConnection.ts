import { limits } from '@tributary/core/limits/limits.ts';
import { Redis } from 'ioredis';
import { type CommandArgument, type CommandName, loadCommands } from './loadCommands.ts';
import { translateRedisError } from './translateRedisError.ts';

/**
 * One connection that comes back by itself. While Redis is away a call fails at once: nothing is queued, nothing is sent twice behind the caller's back.
 */
export class RedisConnection {
  /** For people: without the password. */
  readonly url: string;
  readonly #redis: Redis;
  readonly #commands: ReturnType<typeof loadCommands>;
  readonly #replyMs: number;
  /** Why the connection is away; undefined while it stands. */
  #whyAway: unknown;

  private constructor(url: string, replyMs: number) {
    this.url = hidePassword(url);
    this.#replyMs = replyMs;
    this.#redis = new Redis(url, {
      lazyConnect: true,
      connectTimeout: limits.coordinatorConnectMs,
      disconnectTimeout: limits.coordinatorReconnectMsMax,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      maxLoadingRetryTime: limits.coordinatorReconnectMsMax,
      retryStrategy: (tries) => Math.min(limits.retryBackoffMs * tries, limits.coordinatorReconnectMsMax),
      // Replies have one shape whatever the age of the server.
      protocol: 2,
      disableClientInfo: true,
    });
    this.#commands = loadCommands(this.#redis);
    this.#redis.on('error', (error) => {
      this.#whyAway = error;
    });
    this.#redis.on('close', () => {
      this.#whyAway ??= new Error('the connection was lost');
    });
    this.#redis.on('ready', () => {
      this.#whyAway = undefined;
    });
  }

  /** Each reply is waited for `replyMs`. */
  static async open(url: string, replyMs: number): Promise<RedisConnection> {
    const connection = new RedisConnection(url, replyMs);
    // An error on the way to a connection that comes about all the same is a refusal too: of the database's number in the address.
    let refusal: unknown;
    connection.#redis.once('error', (error) => {
      refusal = error;
    });
    try {
      await connection.#within(limits.coordinatorConnectMs, connection.#redis.connect());
      if (refusal !== undefined) throw refusal;
      return connection;
    } catch (error) {
      connection.#redis.disconnect();
      throw translateRedisError(refusal ?? error, connection.url);
    }
  }

  /** Runs one Lua command. */
  run(name: CommandName, keys: readonly string[], ...rest: CommandArgument[]): Promise<unknown> {
    return this.call(() => this.#commands[name](keys.length, ...keys, ...rest));
  }

  /** Runs one plain command. */
  async call<T>(send: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      return await this.#within(this.#replyMs, send(this.#redis));
    } catch (error) {
      throw translateRedisError(this.#whyAway ?? error, this.url);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#within(this.#replyMs, this.#redis.quit());
    } catch {
      // It is away: there is nobody to say goodbye to.
    }
    this.#redis.disconnect();
  }

  /**
   * Gives up on a connection that hangs and begins a new one. A process that computed for long finds its timer due while the reply waits unread in the
   * socket; setImmediate comes after the socket was read, so such a reply still counts. (The timeouts of ioredis do not wait for that.)
   */
  #within<T>(deadlineMs: number, reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let settled = false;
      const giveUp = () => {
        if (settled) return;
        reject(new Error(`no reply within ${deadlineMs} ms`));
        this.#redis.disconnect(true);
      };
      const timer = setTimeout(() => setImmediate(giveUp), deadlineMs);
      reply.then(resolve, reject).finally(() => {
        settled = true;
        clearTimeout(timer);
      });
    });
  }
}

function hidePassword(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  shown.searchParams.delete('password');
  return shown.href;
}
