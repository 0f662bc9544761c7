/** The two endpoints; they talk to each other. */
export type Transport = 'grpc' | 'fast';
/** What a user may ask for. */
export type TransportChoice = 'auto' | Transport;

/** The fast path works wherever TLS is not asked for, and that is everywhere today. */
export function transportOf(choice: TransportChoice): Transport {
  return choice === 'auto' ? 'fast' : choice;
}
