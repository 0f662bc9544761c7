import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { Coordinator, Lease, Member } from './Coordinator.ts';
import { type Schedule, schedule } from './schedule.ts';

export interface HeartbeatOptions {
  readonly coordinator: Pick<Coordinator, 'join' | 'leave' | 'renewLease' | 'releaseLease'>;
  readonly member: Member;
  readonly ttlMs: number;
  /** Another holder has the lease, or may have had it: stop acting in its name. The heart forgot it already. */
  readonly onLost: (lease: Lease) => void;
  /** The first beat that failed, and the first that did not again. */
  readonly onUnavailable?: (error: TributaryError) => void;
  readonly onRecovered?: () => void;
  readonly schedule?: Schedule;
}

/**
 * Keeps a process a member and its leases renewed. While the coordinator is away it goes on trying and loses nothing: a lease that ran out
 * meanwhile is renewed as long as nobody took it.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #schedule: Schedule;
  readonly #leases = new Map<string, Lease>();
  #away = false;
  #stopped = false;
  #cancelTimer: () => void = () => {};
  #beating: Promise<void> = Promise.resolve();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#schedule = options.schedule ?? schedule;
  }

  /** Joins; fails if the coordinator cannot be reached now. */
  async start(): Promise<void> {
    await this.#options.coordinator.join(this.#options.member, this.#options.ttlMs);
    this.#arm();
  }

  add(lease: Lease): void {
    this.#leases.set(lease.name, lease);
  }

  /** Gives the lease `name` back. While the coordinator is away its time runs out instead. */
  async remove(name: string): Promise<void> {
    const lease = this.#leases.get(name);
    if (lease === undefined) return;
    this.#leases.delete(name);
    await ignoringAbsence(this.#options.coordinator.releaseLease(lease));
  }

  /** Gives all leases back and leaves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#beating;
    await Promise.all([...this.#leases.keys()].map((name) => this.remove(name)));
    await ignoringAbsence(this.#options.coordinator.leave(this.#options.member.id));
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#cancelTimer = this.#schedule(() => {
      this.#beating = this.#beat();
    }, this.#options.ttlMs / limits.heartbeatsPerLease);
  }

  async #beat(): Promise<void> {
    const { coordinator, member, ttlMs, onUnavailable, onRecovered } = this.#options;
    try {
      await Promise.all([
        coordinator.join(member, ttlMs),
        ...[...this.#leases.values()].map((lease) => this.#renew(lease)),
      ]);
      if (this.#away) onRecovered?.();
      this.#away = false;
    } catch (error) {
      if (!(error instanceof TributaryError)) throw error;
      if (!this.#away) onUnavailable?.(error);
      this.#away = true;
    }
    this.#arm();
  }

  async #renew(lease: Lease): Promise<void> {
    const outcome = await this.#options.coordinator.renewLease(lease, this.#options.ttlMs);
    // It may have been given back, or taken anew, while the question was under way.
    if (outcome === 'renewed' || this.#leases.get(lease.name) !== lease) return;
    this.#leases.delete(lease.name);
    this.#options.onLost(lease);
  }
}

async function ignoringAbsence(done: Promise<void>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!(error instanceof TributaryError)) throw error;
  }
}
