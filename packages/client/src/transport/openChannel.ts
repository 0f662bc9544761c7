import { FastChannel } from './fast/FastChannel.ts';
import { GrpcChannel } from './GrpcChannel.ts';
import type { ServerChannel } from './ServerChannel.ts';
import { type TransportChoice, transportOf } from './transport.ts';

/** A channel to `host:port` or `unix:PATH`; it connects with the first call. */
export function openChannel(address: string, transport: TransportChoice): ServerChannel {
  if (transportOf(transport) === 'fast') return new FastChannel(address);
  return new GrpcChannel(address, typeof transport === 'object' ? transport.tls : undefined);
}
