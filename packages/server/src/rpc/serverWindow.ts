import type { Http2Server, ServerOptions } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { limits } from '@tributary/core/limits/limits.ts';

/** What of grpc-js 1.14.7 is not in its types. */
interface Inner {
  readonly commonServerOptions?: ServerOptions;
  readonly http2Servers?: Map<Http2Server, unknown>;
}

/**
 * Lets a grpc-js server accept limits.windowBytes unacknowledged, per stream and per connection, in place of HTTP/2's 64 KiB, at which a push waits for
 * an acknowledgement thousands of times. grpc-js has that option for clients only, so two private fields are used, here alone. Where a later
 * version has them no more, nothing breaks and pushes are slower; test/transport/serverWindow.test.ts tells.
 */
export function widenStreams(server: Server): void {
  const { commonServerOptions: options } = server as unknown as Inner;
  if (options !== undefined)
    options.settings = { ...options.settings, initialWindowSize: limits.windowBytes };
}

/** The other half, once the server is bound. */
export function widenConnections(server: Server): void {
  for (const http2Server of (server as unknown as Inner).http2Servers?.keys() ?? [])
    http2Server.on('session', (session) => session.setLocalWindowSize(limits.windowBytes));
}
