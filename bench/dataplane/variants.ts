import type { Transport } from '@tributary/client/transport/transport.ts';

/** What the bench compares. */
export interface Variant {
  readonly label: string;
  readonly kind: 'tributary' | 'sockets' | 'http2';
  readonly unix: boolean;
  /** Of Tributary's own. */
  readonly transport?: Transport;
}

export interface RoleOptions extends Variant {
  readonly role: 'server' | 'client';
  readonly length: number;
  readonly optimizer: string;
  /** Of the server, for a client. */
  readonly address: string;
}

export interface RunResult {
  /** One push, update and pull: the median. */
  readonly ms: number;
  /** Of both processes, per GB in both directions. */
  readonly cpuSecondsPerGb: number;
  readonly serverRssMb: number;
}

export const variants: readonly Variant[] = [
  { label: 'fast, TCP', kind: 'tributary', unix: false, transport: 'fast' },
  { label: 'fast, Unix socket', kind: 'tributary', unix: true, transport: 'fast' },
  { label: 'grpc, TCP', kind: 'tributary', unix: false, transport: 'grpc' },
  { label: 'grpc, Unix socket', kind: 'tributary', unix: true, transport: 'grpc' },
  { label: 'raw node:http2, TCP', kind: 'http2', unix: false },
  { label: 'raw node:http2, Unix socket', kind: 'http2', unix: true },
  { label: 'raw sockets, TCP', kind: 'sockets', unix: false },
  { label: 'raw sockets, Unix socket', kind: 'sockets', unix: true },
];
