import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** As long as the output of SHA-256, with which these keys are used (RFC 2104: shorter ones are weaker). */
export const KEY_BYTES = 32;
const KEY = /^[0-9a-f]{64}$/i;

/** Where a secret key comes from: the environment, else a file that the operator names, else one that the server keeps. */
export interface KeyPlace {
  /** Name of the environment variable. */
  readonly variable: string;
  /** Absolute path that weir.yaml names; null for none. */
  readonly file: string | null;
  /** Absolute path of the server's own file, made with a random key where there is none. */
  readonly ownFile: string;
}

/**
 * Secret keys, 1 to `countMax`, of 32 bytes each, written as 64 hexadecimal digits with space or a comma between. Throws an
 * error that names the place and the remedy, never a key. To be called by one process at a time, under the lock of the data
 * folder.
 */
export async function secretKeys(
  place: KeyPlace,
  environment: NodeJS.ProcessEnv,
  countMax: number,
): Promise<readonly Buffer[]> {
  const there = await keysThere(place, environment, countMax);
  if (there !== null) return there;
  const key = randomBytes(KEY_BYTES);
  await keep(key.toString('hex'), place.ownFile);
  return [key];
}

/** The same, without making any: null where none is given and the server has kept none. Needs no lock. */
export async function keysThere(
  place: KeyPlace,
  environment: NodeJS.ProcessEnv,
  countMax: number,
): Promise<readonly Buffer[] | null> {
  const given = environment[place.variable];
  if (given !== undefined) return keysOf(given, countMax, `The environment variable ${place.variable}`);
  if (place.file !== null) return keysOf(await readFile(place.file, 'utf8'), countMax, place.file);
  try {
    return keysOf(await readFile(place.ownFile, 'utf8'), countMax, place.ownFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return null;
  }
}

function keysOf(text: string, countMax: number, where: string): readonly Buffer[] {
  const keys = text.split(/[\s,]+/).filter((part) => part !== '');
  if (keys.length > 0 && keys.length <= countMax && keys.every((digits) => KEY.test(digits))) {
    return keys.map((digits) => Buffer.from(digits, 'hex'));
  }
  const wanted = countMax === 1 ? 'one key' : `1 to ${countMax} keys`;
  throw new Error(
    `${where} does not hold what it should: ${wanted} of ${KEY_BYTES * 2} hexadecimal digits, as 'openssl rand -hex ${KEY_BYTES}' prints them.`,
  );
}

/**
 * Whether a key is the one that was used first in this data folder, by its fingerprint in `idFile` (the first 64 bits of its
 * SHA-256, which do not lead back to it); the file is made where there is none. What was derived by another key is lost.
 */
export async function isKeyOfBefore(idFile: string, key: Uint8Array): Promise<boolean> {
  const id = createHash('sha256').update(key).digest('hex').slice(0, ID_DIGITS);
  try {
    return (await readFile(idFile, 'utf8')).trim() === id;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await keep(id, idFile);
  return true;
}
const ID_DIGITS = 16;

/** For its owner alone, and on disk, with its folder, before anything is derived by it: a key that a power cut takes is gone for ever. */
async function keep(text: string, path: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.new`;
  await writeFile(draft, `${text}\n`, { mode: 0o600, flush: true });
  await rename(draft, path);
  for (const one of [folder, join(folder, '..')]) {
    const directory = await open(one, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}
