/** The two endpoints; they talk to each other. */
export type Transport = 'grpc' | 'fast';

/** How a process shows who it is, and whom it believes; PEM. Both sides of a connection must have a certificate of the same authority. */
export interface TlsIdentity {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** What a user may ask for by name. */
export type NamedTransport = 'auto' | Transport;
export type TransportChoice = NamedTransport | { readonly tls: TlsIdentity };

export const transportChoices: readonly NamedTransport[] = ['auto', 'grpc', 'fast'];

/** The fast path works wherever TLS is not asked for. */
export function transportOf(choice: TransportChoice): Transport {
  if (typeof choice === 'object') return 'grpc';
  return choice === 'auto' ? 'fast' : choice;
}

/** In words, for logs. */
export function describeTransport(choice: TransportChoice): string {
  if (typeof choice === 'object') return '@grpc/grpc-js over TLS';
  return transportOf(choice) === 'fast' ? 'the fast path' : '@grpc/grpc-js';
}
