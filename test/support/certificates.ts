import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages } from './installPackages.ts';

/** PEM files of an authority, and of a certificate that it gave to 127.0.0.1, in `folder`, as flags of a process. */
export async function certificateFlags(folder: string, authority: string): Promise<string[]> {
  const at = (name: string) => join(folder, `${authority}-${name}`);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  try {
    openssl('version');
  } catch {
    await installPackages('openssl');
  }
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const issuer = ['-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', `/CN=${authority}`];
  openssl('req', '-x509', '-days', '2', ...curve, ...issuer);
  openssl('req', ...curve, '-keyout', at('key.pem'), '-out', at('request'), '-subj', '/CN=process');
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost');
  openssl(
    ...['x509', '-req', '-in', at('request'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'],
    ...['-days', '2', '-extfile', at('names'), '-out', at('cert.pem')],
  );
  return ['--tls-ca', at('ca.pem'), '--tls-cert', at('cert.pem'), '--tls-key', at('key.pem')];
}
