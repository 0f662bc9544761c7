import { existsSync, readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { NamedTransport, TlsIdentity, TransportChoice } from '@tributary/client/transport/transport.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';

export interface TransportFlags {
  readonly transport: NamedTransport;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** What the flags of a process ask for. Throws INVALID_ARGUMENT or NOT_FOUND, naming the flag, where they do not go together or a file is not what it must be. */
export function transportIn({ transport, tlsCa, tlsCert, tlsKey }: TransportFlags): TransportChoice {
  if (tlsCa === undefined && tlsCert === undefined && tlsKey === undefined) return transport;
  if (tlsCa === undefined || tlsCert === undefined || tlsKey === undefined) {
    throw new TributaryError('INVALID_ARGUMENT', 'TLS needs --tls-ca, --tls-cert and --tls-key', {
      hint: 'Every process of the cluster shows a certificate, and believes those of the same authority.',
    });
  }
  if (transport === 'fast') {
    throw new TributaryError('INVALID_ARGUMENT', 'the fast path has no TLS', {
      hint: 'Leave out --transport, or give --transport grpc.',
    });
  }
  const tls = {
    ca: fileOf('--tls-ca', tlsCa),
    cert: fileOf('--tls-cert', tlsCert),
    key: fileOf('--tls-key', tlsKey),
  };
  assertUsable(tls);
  return { tls };
}

function fileOf(flag: string, path: string): Buffer {
  if (existsSync(path)) return readFileSync(path);
  throw new TributaryError('NOT_FOUND', `there is no file ${path}`, { hint: `Correct ${flag}.` });
}

function assertUsable(tls: TlsIdentity): void {
  try {
    createSecureContext({ ...tls });
  } catch (cause) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `the files of --tls-ca, --tls-cert and --tls-key cannot be used: ${(cause as Error).message}`,
      { hint: 'All three are PEM, and the key is that of the certificate.', cause },
    );
  }
}
