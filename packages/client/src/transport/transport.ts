/** The two endpoints; they talk to each other. */
export type Transport = 'grpc' | 'fast';
/** What a user may ask for. */
export type TransportChoice = 'auto' | Transport;

export const transportChoices: readonly TransportChoice[] = ['auto', 'grpc', 'fast'];

/** The fast path works wherever TLS is not asked for, and that is everywhere today. */
export function transportOf(choice: TransportChoice): Transport {
  return choice === 'auto' ? 'fast' : choice;
}

/** In words, for logs. */
export function describeTransport(choice: TransportChoice): string {
  return transportOf(choice) === 'fast' ? 'the fast path' : '@grpc/grpc-js';
}
