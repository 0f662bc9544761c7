import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What `listen` and `connect` of node:net take for a place of the bench's own. */
export function placeOf(unix: boolean): { path: string } | { host: string; port: number } {
  return unix ? { path: join(tmpdir(), `dataplane-${process.pid}.sock`) } : { host: '127.0.0.1', port: 0 };
}

export function addressOf(server: { address(): string | { port: number } | null }): string {
  const address = server.address();
  return JSON.stringify(
    typeof address === 'string' ? { path: address } : { host: '127.0.0.1', port: address!.port },
  );
}
