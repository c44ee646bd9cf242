import { KEY_SET_BYTES_MAX, type KeySet, parseKeySet, type SigningKey } from '../config/key-set.ts';
import { fetchText } from '../net/fetch-text.ts';

/** The public keys of one issuer. */
export interface KeySource {
  /** The key of this id, of keys that are as new as they may be; null where there is none. Throws `KeysUnavailable`. */
  find(kid: string): Promise<SigningKey | null>;
  /** Looks for newer keys in the background, where those here have become old. Called once a second while requests come. */
  refreshAhead(): void;
}

/** Nobody can be told whether a token is good: its issuer's keys are away. Not the caller's fault. */
export class KeysUnavailable extends Error {}

/** From here on an answer that is late costs mobile clients, which wait for 5 s, more than a retry would. */
export const KEYS_TIMEOUT_MS = 1_500;
/** Unknown key ids, which anyone can make up, lead to one look in this time. */
export const KEYS_COOLDOWN_MS = 30_000;
/** After a look that failed: callers wait for 2 s at least before they come again. */
export const KEYS_RETRY_MS = 2_000;
/** A key that was withdrawn is believed for so long while requests come. */
export const KEYS_REFRESH_MS = 10 * 60_000;
/** An issuer that is away for longer takes its tokens along. */
export const KEYS_STALE_MS = 24 * 60 * 60_000;

/** Keys that came with the workspace. They change with it, so they are never old. */
export class FixedKeys implements KeySource {
  readonly #keys: KeySet;
  /** `text`: a JWK Set that was checked when the workspace was read. */
  constructor(text: string) {
    this.#keys = parseKeySet(text);
  }
  async find(kid: string): Promise<SigningKey | null> {
    return this.#keys.get(kid) ?? null;
  }
  refreshAhead(): void {}
}

export interface RemoteKeysDeps {
  readonly url: string;
  readonly timeoutMs: number;
  /** A clock that does not jump. */
  readonly clockMs: () => number;
  /** Told when the source goes away, and when it is back. */
  readonly report: (message: string) => void;
  /** The issuer publishes other keys than before. */
  readonly onChange: () => void;
}

/** Keys at a URL: fetched when they are first needed, kept, and looked for again in the background. */
export class RemoteKeys implements KeySource {
  readonly #deps: RemoteKeysDeps;
  #keys: KeySet = new Map();
  #text: string | null = null;
  #loadedAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #failure: KeysUnavailable | null = null;
  #loading: Promise<void> | null = null;

  constructor(deps: RemoteKeysDeps) {
    this.#deps = deps;
  }

  async find(kid: string): Promise<SigningKey | null> {
    if (this.#ageMs() > KEYS_STALE_MS) await this.#newest();
    else this.refreshAhead();
    const known = this.#keys.get(kid);
    if (known !== undefined) return known;
    await this.#newest();
    return this.#keys.get(kid) ?? null;
  }

  refreshAhead(): void {
    if (this.#ageMs() > KEYS_REFRESH_MS && this.#loading === null && !this.#isCoolingDown()) this.#load();
  }

  /** Resolves when the keys are as new as they may be. */
  async #newest(): Promise<void> {
    if (this.#loading !== null) await this.#loading;
    else if (!this.#isCoolingDown()) await this.#load();
    else if (this.#failure !== null) throw this.#failure;
  }

  #ageMs(): number {
    return this.#deps.clockMs() - this.#loadedAtMs;
  }

  #isCoolingDown(): boolean {
    const pauseMs = this.#failure === null ? KEYS_COOLDOWN_MS : KEYS_RETRY_MS;
    return this.#deps.clockMs() - this.#triedAtMs < pauseMs;
  }

  #load(): Promise<void> {
    this.#triedAtMs = this.#deps.clockMs();
    const loading = this.#fetch().finally(() => {
      this.#loading = null;
    });
    // In the background nobody waits for it: what failed was reported, and stands in #failure.
    loading.catch(() => {});
    this.#loading = loading;
    return loading;
  }

  async #fetch(): Promise<void> {
    const { url, timeoutMs, report, onChange } = this.#deps;
    const before = this.#text;
    try {
      const text = await fetchText(url, timeoutMs, KEY_SET_BYTES_MAX);
      this.#keys = parseKeySet(text);
      this.#text = text;
    } catch (cause) {
      const isNew = this.#failure === null;
      this.#failure = new KeysUnavailable(`The keys at ${url} cannot be fetched: ${reasonOf(cause)}.`, { cause });
      const meanwhile =
        before === null ? 'Its tokens are answered 503' : 'The keys from before serve, for a day at most';
      if (isNew) report(`${this.#failure.message} ${meanwhile}; it is tried again.`);
      throw this.#failure;
    }
    if (this.#failure !== null) report(`The keys at ${url} were fetched again.`);
    this.#failure = null;
    this.#loadedAtMs = this.#deps.clockMs();
    if (before !== null && before !== this.#text) onChange();
  }
}

/** `fetch` says "fetch failed", and why in the cause. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return 'it did not answer in time';
  const said = message === 'fetch failed' && cause instanceof Error ? cause.message : message;
  return said.replace(/\.$/, '');
}
