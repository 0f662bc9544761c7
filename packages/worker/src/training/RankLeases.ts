import type { Coordinator, Lease, Placement } from '@tributary/coordinator/Coordinator.ts';
import type { Heartbeat } from '@tributary/coordinator/Heartbeat.ts';

/**
 * The ranks that this worker holds: those that the placement gives it and whose lease it could take.
 *
 * They change at any time, also while a step is being computed. That is safe: whoever has a rank next has a greater fencing
 * token, and a push that comes too late is refused by it.
 */
export class RankLeases {
  readonly #coordinator: Coordinator;
  readonly #heartbeat: Heartbeat;
  readonly #workerId: string;
  readonly #leaseMs: number;
  readonly #held = new Map<number, Lease>();

  constructor(coordinator: Coordinator, heartbeat: Heartbeat, workerId: string, leaseMs: number) {
    this.#coordinator = coordinator;
    this.#heartbeat = heartbeat;
    this.#workerId = workerId;
    this.#leaseMs = leaseMs;
  }

  /** The fencing tokens by rank, as of now. */
  tokens(): Map<number, number> {
    return new Map([...this.#held].map(([rank, lease]) => [rank, lease.token]));
  }

  /**
   * Gives back what the placement gives to others, and tries to take what it gives to us; what its last holder still has, the next
   * call tries again. Returns whether anything changed.
   */
  async follow(placement: Placement): Promise<boolean> {
    const changes = await Promise.all(
      placement.ranks.map(async (worker, rank) => {
        if (worker !== this.#workerId) return this.#giveBack(rank);
        if (this.#held.has(rank)) return false;
        const lease = await this.#coordinator.acquireLease(
          `${leasePrefix}${rank}`,
          this.#workerId,
          this.#leaseMs,
        );
        if (lease === undefined) return false;
        this.#held.set(rank, lease);
        this.#heartbeat.add(lease);
        return true;
      }),
    );
    return changes.includes(true);
  }

  /** Forgets a lease that someone else has now. */
  lose(name: string): void {
    this.#held.delete(Number(name.slice(leasePrefix.length)));
  }

  /** Gives up ranks whose pushes were fenced; the next `follow` asks for them again, if they are still ours to hold. */
  async giveBack(ranks: Iterable<number>): Promise<void> {
    for (const rank of ranks) await this.#giveBack(rank);
  }

  async giveBackAll(): Promise<void> {
    await this.giveBack([...this.#held.keys()]);
  }

  async #giveBack(rank: number): Promise<boolean> {
    const lease = this.#held.get(rank);
    if (lease === undefined) return false;
    this.#held.delete(rank);
    await this.#heartbeat.remove(lease.name);
    return true;
  }
}

const leasePrefix = 'rank/';
