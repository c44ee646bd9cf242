import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SigningKey } from '../config/key-set.ts';
import { LOCAL_CLIENT, LOCAL_ISSUER } from '../model/auth.ts';
import { type KeySource, KeysUnavailable } from './keys.ts';

/**
 * The issuer for development: one key pair in the data folder. `weir token` makes it and signs with it; the server
 * takes such tokens where `auth.local` says so. Who can read the file can read the whole data folder.
 */
const FILE = 'local-issuer.pem';

/** The private key in DATA/keys, made where there is none yet; for its owner alone. */
export async function localKey(folder: string): Promise<KeyObject> {
  const known = await readKey(folder);
  if (known !== null) return known;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${FILE}.${randomUUID()}`);
  await writeFile(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx', flush: true });
  try {
    // Unlike a rename, a link leaves the key of another process that was faster.
    await link(draft, join(folder, FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  return (await readKey(folder)) ?? privateKey;
}

/** A token for one org, as JWT. Times: `nowMs` Unix epoch. */
export function mintToken(key: KeyObject, orgId: string, lifetimeSeconds: number, nowMs: number): string {
  const iat = Math.floor(nowMs / 1000);
  const { issuer: iss, audiences } = LOCAL_ISSUER;
  const header = { alg: 'ES256', typ: 'JWT', kid: kidOf(key) };
  const claims = { iss, aud: audiences[0], client_id: LOCAL_CLIENT, org: orgId, iat, exp: iat + lifetimeSeconds };
  const signed = `${encode(header)}.${encode({ ...claims, jti: randomUUID() })}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/**
 * The same key pair as the server sees it. Read when a token names a key that is not known, since the file may have come
 * meanwhile, and looked at again while requests come.
 */
export class LocalKeys implements KeySource {
  readonly #folder: string;
  readonly #onChange: () => void;
  #known: (SigningKey & { readonly kid: string }) | null = null;

  /** `onChange`: the file holds another key than before. */
  constructor(folder: string, onChange: () => void) {
    this.#folder = folder;
    this.#onChange = onChange;
  }

  async find(kid: string): Promise<SigningKey | null> {
    if (this.#known?.kid !== kid) await this.#read();
    return this.#known?.kid === kid ? this.#known : null;
  }

  refreshAhead(): void {
    // A file that cannot be read now is the next unknown token's business.
    if (this.#known !== null) this.#read().catch(() => {});
  }

  async #read(): Promise<void> {
    let key: KeyObject | null;
    try {
      key = await readKey(this.#folder);
    } catch (cause) {
      throw new KeysUnavailable(`The key of local tokens cannot be read: ${(cause as Error).message}`, { cause });
    }
    const kid = key === null ? null : kidOf(key);
    if (this.#known !== null && this.#known.kid !== kid) this.#onChange();
    this.#known = key === null ? null : { key: createPublicKey(key), algorithm: 'ES256', kid: kid! };
  }
}

/** Null where there is none. */
async function readKey(folder: string): Promise<KeyObject | null> {
  try {
    return createPrivateKey(await readFile(join(folder, FILE)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function kidOf(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64url').slice(0, KID_CHARACTERS);
}
/** Enough to tell keys apart. */
const KID_CHARACTERS = 16;

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
