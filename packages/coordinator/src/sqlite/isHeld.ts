import type { DatabaseSync } from 'node:sqlite';
import type { Lease } from '../Coordinator.ts';

/** Whether nobody took or released the lease since. One that merely ran out still counts: no other holder can have acted. */
export function isHeld(database: DatabaseSync, job: string, lease: Lease): boolean {
  const held = database.prepare(
    'SELECT 1 FROM leases WHERE job = ? AND name = ? AND holder = ? AND token = ?',
  );
  return held.get(job, lease.name, lease.holder, lease.token) !== undefined;
}
