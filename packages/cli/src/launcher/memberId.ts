import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** A name for this process that no other has or had. */
export function memberId(role: string): string {
  return `${role}-${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
}
