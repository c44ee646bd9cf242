import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';

/** A certificate and its key, as read from their files. */
export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** When the first certificate of the file expires: Unix epoch, milliseconds. */
  readonly expiresAtMs: number;
}

/** How often the files' times and sizes are looked at: a renewed certificate is in force within three looks. */
export const TLS_POLL_MS = 1_000;

export interface TlsFilesDeps {
  readonly certPath: string;
  readonly keyPath: string;
  /** Told once of files that cannot be used, and when others are in force. */
  readonly report: (message: string) => void;
  readonly pollMs?: number;
}

/**
 * The files of the TLS listener, read again when they change. Both must fit together: while one of them is being
 * replaced they do not, so a change is read when two looks in a row agree. Files that cannot be used change nothing.
 */
export class TlsFiles {
  readonly #deps: TlsFilesDeps;
  #current: TlsPair;
  #rejected: string | null = null;
  #loadedPrint: string;
  #changingPrint: string | null = null;
  #listener: (pair: TlsPair) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(deps: TlsFilesDeps, first: TlsPair, print: string) {
    this.#deps = deps;
    this.#current = first;
    this.#loadedPrint = print;
    this.#schedule();
  }

  /** Throws an error that names the file and what is wrong with it. */
  static async open(deps: TlsFilesDeps): Promise<TlsFiles> {
    const print = await printOf(deps);
    return new TlsFiles(deps, await readPair(deps), print);
  }

  get current(): TlsPair {
    return this.#current;
  }

  /** Why the files as they are now are not in force; null where they are. */
  get rejected(): string | null {
    return this.#rejected;
  }

  /** Called with each new pair. One listener. */
  onChange(listener: (pair: TlsPair) => void): void {
    this.#listener = listener;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#poll().finally(() => this.#schedule()), this.#deps.pollMs ?? TLS_POLL_MS);
    this.#timer.unref();
  }

  async #poll(): Promise<void> {
    const print = await printOf(this.#deps);
    const hasSettled = print === this.#changingPrint;
    this.#changingPrint = print === this.#loadedPrint ? null : print;
    if (print === this.#loadedPrint || !hasSettled) return;
    this.#loadedPrint = print;
    try {
      const pair = await readPair(this.#deps);
      if (this.#isClosed) return;
      this.#listener(pair);
      this.#current = pair;
      this.#rejected = null;
      const until = new Date(pair.expiresAtMs).toISOString();
      this.#deps.report(
        `The TLS certificate was read again; new connections get the one that is valid until ${until}.`,
      );
    } catch (error) {
      this.#rejected = (error as Error).message;
      this.#deps.report(
        `The TLS files were changed, but cannot be used; the old ones stay in force. ${this.#rejected}`,
      );
    }
  }
}

async function printOf({ certPath, keyPath }: TlsFilesDeps): Promise<string> {
  const prints = await Promise.all([certPath, keyPath].map(printOfFile));
  return prints.join('|');
}

async function printOfFile(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ctimeMs, ino } = await stat(path);
    return `${size} ${mtimeMs} ${ctimeMs} ${ino}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

async function readPair({ certPath, keyPath }: TlsFilesDeps): Promise<TlsPair> {
  const [cert, key] = await Promise.all([read(certPath), read(keyPath)]);
  const certificate = parsed(certPath, 'certificate', () => new X509Certificate(cert));
  const privateKey = parsed(keyPath, 'private key without a passphrase', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(
      `The key in '${keyPath}' is not that of the certificate in '${certPath}'. Give the two that belong together.`,
    );
  }
  parsed(certPath, 'certificate that OpenSSL takes', () => createSecureContext({ cert, key }));
  return { cert, key, expiresAtMs: Date.parse(certificate.validTo) };
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`The TLS file '${path}' cannot be read (${String((error as NodeJS.ErrnoException).code)}).`, {
      cause: error,
    });
  }
}

function parsed<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Error(`'${path}' does not hold a ${what} in PEM: ${(error as Error).message}`, { cause: error });
  }
}
