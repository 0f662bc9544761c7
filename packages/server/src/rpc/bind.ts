import { rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';

/** Why nothing can listen there, for whoever chose the address. */
export function bindError(bind: string, cause: Error): TributaryError {
  if (cause.message.includes('EADDRINUSE')) {
    return new TributaryError('FAILED_PRECONDITION', `the address ${bind} is in use`, {
      cause,
      hint: 'Stop what listens there, or choose another address with --bind.',
    });
  }
  const what = /\[(?:listen )?(.*)\]$/.exec(cause.message)?.[1] ?? cause.message.replace(/^listen /, '');
  return new TributaryError('FAILED_PRECONDITION', `cannot listen on ${bind}: ${what}`, {
    cause,
    hint: 'Give HOST:PORT with an address of this machine, or unix:PATH.',
  });
}

/** A server on a Unix socket that was killed leaves that behind. Nobody answers there, so the name may be had. */
export async function removeStaleSocket(address: string): Promise<void> {
  if (!address.startsWith('unix:')) return;
  const path = address.slice('unix:'.length);
  const refused = await new Promise<boolean>((resolve) => {
    const socket = createConnection(path);
    socket
      .once('connect', () => resolve(false))
      .once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
    socket.once('connect', () => socket.destroy());
  });
  if (refused) await rm(path);
}
