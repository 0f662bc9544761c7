import type { Transport } from '@tributary/client/transport/transport.ts';

/** What the bench compares. */
export interface Variant {
  readonly label: string;
  readonly kind: 'tributary' | 'sockets' | 'http2';
  readonly unix: boolean;
  /** Of Tributary's own. */
  readonly transport?: Transport;
  /** Both ways; float32 if not given. */
  readonly encoding?: 'bf16';
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

/** A gradient one way, the parameters the other. */
export function bytesOfStep({ length, encoding }: { length: number; encoding?: 'bf16' | undefined }): number {
  return length * (encoding === undefined ? 8 : 4);
}

export const variants: readonly Variant[] = [
  { label: 'fast, TCP', kind: 'tributary', unix: false, transport: 'fast' },
  { label: 'fast, Unix socket', kind: 'tributary', unix: true, transport: 'fast' },
  { label: 'fast, TCP, bf16', kind: 'tributary', unix: false, transport: 'fast', encoding: 'bf16' },
  { label: 'fast, Unix socket, bf16', kind: 'tributary', unix: true, transport: 'fast', encoding: 'bf16' },
  { label: 'grpc, TCP', kind: 'tributary', unix: false, transport: 'grpc' },
  { label: 'grpc, Unix socket', kind: 'tributary', unix: true, transport: 'grpc' },
  { label: 'grpc, TCP, bf16', kind: 'tributary', unix: false, transport: 'grpc', encoding: 'bf16' },
  { label: 'raw node:http2, TCP', kind: 'http2', unix: false },
  { label: 'raw node:http2, Unix socket', kind: 'http2', unix: true },
  { label: 'raw sockets, TCP', kind: 'sockets', unix: false },
  { label: 'raw sockets, Unix socket', kind: 'sockets', unix: true },
];
