import type { Member, Placement, ShardPlacement } from '@tributary/coordinator/Coordinator.ts';
import type { Range } from '@tributary/core/partition/partition.ts';

export interface PlacementInput {
  /** Everyone alive now. */
  readonly members: readonly Member[];
  readonly current: Placement | undefined;
  /** The cut of the flat vector; the same for as long as this controller runs. */
  readonly ranges: readonly Range[];
  readonly ranks: number;
  /** How many must be there before the first placement; later the job goes on with those that are left. */
  readonly serversWanted: number;
  readonly workersWanted: number;
}

/** `wait`: too few processes to place anything, and for what. `restore`: shards moved, so a checkpoint has to be loaded. */
export type PlacementDecision =
  | { kind: 'keep' }
  | { kind: 'wait'; for: string }
  | { kind: 'ranks'; ranks: readonly string[] }
  | { kind: 'restore'; shards: readonly ShardPlacement[]; ranks: readonly string[] };

/**
 * Who is to have what, from who is alive. Shards stay where they are while their server lives: moving one means going back to
 * a checkpoint. Ranks are dealt out anew with each change of the workers, as contiguous and even as they get, so that a worker
 * holds large subtrees and pushes few sums; moving one costs a lease.
 */
export function decidePlacement(input: PlacementInput): PlacementDecision {
  const servers = input.members.filter((member) => member.role === 'server');
  const workers = input.members.filter((member) => member.role === 'worker');
  const first = input.current === undefined;

  const serversNeeded = first ? input.serversWanted : 1;
  const workersNeeded = first ? input.workersWanted : 1;
  if (servers.length < serversNeeded)
    return { kind: 'wait', for: missing('server', serversNeeded - servers.length) };
  const staffed = workers.length >= workersNeeded;
  if (first && !staffed) return { kind: 'wait', for: missing('worker', workersNeeded - workers.length) };

  const ranks = staffed ? dealRanks(input.ranks, workers) : input.current!.ranks;
  const shards = placeShards(input.ranges, servers, input.current?.shards);
  if (shards !== undefined) return { kind: 'restore', shards, ranks };
  if (!staffed) return { kind: 'wait', for: missing('worker', workersNeeded - workers.length) };
  if (!sameNames(ranks, input.current!.ranks)) return { kind: 'ranks', ranks };
  return { kind: 'keep' };
}

/** Contiguous runs of ranks, one per worker, sizes differing by at most one. More workers than ranks: the last ones get none. */
function dealRanks(ranks: number, workers: readonly Member[]): string[] {
  const sharing = workers.slice(0, ranks);
  return Array.from({ length: ranks }, (_, rank) => sharing[Math.floor((rank * sharing.length) / ranks)].id);
}

/** New homes for the shards whose server is gone; undefined if none is. The least loaded server takes the next. */
function placeShards(
  ranges: readonly Range[],
  servers: readonly Member[],
  current: readonly ShardPlacement[] | undefined,
): ShardPlacement[] | undefined {
  const load = new Map(servers.map((server) => [server.id, 0]));
  const homes = ranges.map((range, index) => {
    const home = current?.[index];
    const stays =
      home !== undefined && home.begin === range.begin && home.end === range.end && load.has(home.server);
    if (stays) load.set(home.server, load.get(home.server)! + 1);
    return stays ? home : undefined;
  });
  if (current?.length === ranges.length && homes.every((home) => home !== undefined)) return undefined;
  return ranges.map((range, index) => {
    const home = homes[index];
    if (home !== undefined) return home;
    const server = servers.reduce((least, other) =>
      load.get(other.id)! < load.get(least.id)! ? other : least,
    );
    load.set(server.id, load.get(server.id)! + 1);
    return { begin: range.begin, end: range.end, server: server.id, address: server.address };
  });
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

function missing(role: string, count: number): string {
  return `${count} more ${role}${count === 1 ? '' : 's'}`;
}
