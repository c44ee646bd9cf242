import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { send } from '../support/raw-http.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startWeir } from '../support/weir.ts';

/** The certificate of a running server is renewed without a restart. */

function handshake(url: string): Promise<TLSSocket> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false }, () => resolve(socket));
    socket.once('error', reject);
  });
}

async function nameAt(url: string): Promise<unknown> {
  const socket = await handshake(url);
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

test('new connections get a renewed certificate, old ones stay; files that are wrong change nothing', async () => {
  const made = tempFolder();
  const pairs = ['first.test', 'second.test'].map((name) => {
    mkdirSync(join(made, name));
    return makeCertificate(join(made, name), [name]);
  });
  const weir = await startWeir({
    'weir.yaml': 'listeners: { tlsPort: 0, tlsCert: tls/cert.pem, tlsKey: tls/key.pem }\n',
    'tls/cert.pem': readFileSync(pairs[0]!.cert, 'utf8'),
    'tls/key.pem': readFileSync(pairs[0]!.key, 'utf8'),
  });
  onTestFinished(() => weir.stop());
  const { edgeTls, admin } = weir.running.urls;
  const certificate = async () =>
    ((await send(admin, { method: 'GET', path: '/health' })).json as { certificate: { rejected: string | null } })
      .certificate;
  const before = await handshake(edgeTls!);
  expect(before.getPeerCertificate().subject.CN).toBe('first.test');
  expect(await certificate()).toEqual({ expiresAt: expect.stringMatching(/^20\d\d-/), rejected: null });

  copyFileSync(pairs[1]!.cert, join(weir.workspace, 'tls/cert.pem'));
  copyFileSync(pairs[1]!.key, join(weir.workspace, 'tls/key.pem'));
  await expect.poll(() => nameAt(edgeTls!), { timeout: 20_000, interval: 200 }).toBe('second.test');
  before.write('GET /ee/v1/interact HTTP/1.1\r\nhost: first.test\r\n\r\n');
  expect(String(await new Promise((resolve) => before.once('data', resolve)))).toContain('HTTP/1.1 405');
  before.destroy();

  writeFileSync(join(weir.workspace, 'tls/key.pem'), 'half a file');
  await expect
    .poll(async () => (await certificate()).rejected, { timeout: 20_000, interval: 200 })
    .toContain('key.pem');
  expect(await nameAt(edgeTls!)).toBe('second.test');
});
