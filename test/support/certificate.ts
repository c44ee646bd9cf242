import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathOf } from '../../scripts/lib/tools.mjs';

/** A certificate that signs itself, with its key: PEM files in `folder`. Good for a day and for the names given. */
export function makeCertificate(
  folder: string,
  names: readonly string[],
): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const files = ['-keyout', key, '-out', cert];
  const subject = [
    '-subj',
    `/CN=${names[0]}`,
    '-addext',
    `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`,
  ];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  execFileSync(pathOf('openssl'), ['req', ...kind, ...subject, ...files], { stdio: 'pipe' });
  return { cert, key };
}
