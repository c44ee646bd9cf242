import { X509Certificate } from 'node:crypto';
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { TlsFiles } from '../../src/config/tls-files.ts';
import { makeCertificate } from '../support/certificate.ts';
import { tempFolder } from '../support/temp-folder.ts';

const made = mkdtempSync(join(tmpdir(), 'weir-tls-'));
afterAll(() => rmSync(made, { recursive: true, force: true }));
function pair(name: string) {
  mkdirSync(join(made, name));
  return makeCertificate(join(made, name), [`${name}.test`]);
}
const first = pair('first');
const second = pair('second');

async function open(pollMs = 10) {
  const folder = tempFolder();
  const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  copyFileSync(first.cert, certPath);
  copyFileSync(first.key, keyPath);
  const reports: string[] = [];
  const files = await TlsFiles.open({ certPath, keyPath, report: (message) => reports.push(message), pollMs });
  onTestFinished(() => files.close());
  const given: string[] = [];
  files.onChange(({ cert }) => given.push(new X509Certificate(cert).subject));
  return { files, certPath, keyPath, reports, given };
}

test('are read, with the day on which they expire', async () => {
  const { files } = await open();
  const hoursLeft = (files.current.expiresAtMs - Date.now()) / 3_600_000;
  expect(hoursLeft).toBeGreaterThan(23);
  expect(hoursLeft).toBeLessThan(25);
  expect(files.rejected).toBeNull();
});

test('a pair that was replaced, one file after the other, is given out once, when both are there', async () => {
  const { files, certPath, keyPath, given } = await open();
  copyFileSync(second.key, `${keyPath}.new`);
  copyFileSync(second.cert, `${certPath}.new`);
  renameSync(`${keyPath}.new`, keyPath);
  renameSync(`${certPath}.new`, certPath);
  await expect.poll(() => given).toEqual(['CN=second.test']);
  expect(new X509Certificate(files.current.cert).subject).toBe('CN=second.test');
});

test('a file that is still being written is not read', async () => {
  const { keyPath, reports } = await open(100);
  for (let i = 0; i < 40; i++) {
    appendFileSync(keyPath, 'x');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(reports).toEqual([]);
});

describe('files that cannot be used keep the old ones, and say so once', () => {
  test.each([
    ['no certificate', 'cert', 'nothing', /cert\.pem' does not hold a certificate/],
    ['no key', 'key', 'nothing', /key\.pem' does not hold a private key/],
    ['another’s key', 'key', null, /is not that of the certificate/],
  ] as const)('%s', async (_, which, content, reason) => {
    const { files, certPath, keyPath, reports, given } = await open();
    const path = which === 'cert' ? certPath : keyPath;
    if (content === null) copyFileSync(second.key, path);
    else writeFileSync(path, content);
    await expect.poll(() => files.rejected).toMatch(reason);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(reports).toEqual([expect.stringContaining('the old ones stay in force')]);
    expect(given).toEqual([]);
    copyFileSync(first.cert, certPath);
    copyFileSync(first.key, keyPath);
    await expect.poll(() => files.rejected).toBeNull();
    expect(given).toEqual(['CN=first.test']);
  });

  test('a file that is gone', async () => {
    const { files, keyPath } = await open();
    rmSync(keyPath);
    await expect.poll(() => files.rejected).toMatch(/key\.pem' cannot be read \(ENOENT\)/);
  });
});

test('a start with files that do not fit says which', async () => {
  const opening = TlsFiles.open({ certPath: first.cert, keyPath: second.key, report: () => {} });
  await expect(opening).rejects.toThrow(`The key in '${second.key}' is not that of the certificate in '${first.cert}'`);
});
