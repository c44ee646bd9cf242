import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AuditAction,
  type AuditEntry,
  type AuditLine,
  auditLine,
  CHAIN_START,
  type ChainHead,
  follows,
  readAuditLine,
} from './audit-line.ts';
import { fingerprint, openToRead, syncDirectory } from './files.ts';

/** Longer entries are our own mistake: whoever writes them limits what they hold. */
export const LINE_BYTES_MAX = 128 * 1024;
const FILE = 'audit.jsonl';

export interface AuditState {
  readonly entries: number;
  readonly head: ChainHead;
  /** The first line that does not fit, and why; null where every line follows the one before. */
  readonly broken: string | null;
}

/**
 * The audit log: a line for each change, in DATA/admin/audit.jsonl. Invariants:
 *
 * 1. When `append` resolves the line is on disk, and whole. Nobody is told of a change before.
 * 2. What a crash left half written stands behind the last line break; it was never acknowledged, and the next append
 *    cuts it off. A line is never changed or removed.
 * 3. Server and command line write the same file: one at a time, under the lock that the caller brings.
 */
export class AuditLog {
  readonly #directory: string;
  readonly #path: string;
  readonly #now: () => Date;
  #checked: { readonly print: string; readonly state: AuditState } | null = null;

  constructor(directory: string, now: () => Date = () => new Date()) {
    this.#directory = directory;
    this.#path = join(directory, FILE);
    this.#now = now;
  }

  /** To be called under the lock. Durable when it resolves. Throws what the file system throws; then nothing is said. */
  async append(entry: AuditEntry): Promise<AuditLine> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const file = await open(this.#path, 'a+', 0o600);
    try {
      const { head, endByte, sizeBytes } = await endOf(file);
      const text = auditLine(head, this.#now(), entry);
      const bytes = Buffer.from(`${text}\n`);
      if (bytes.length > LINE_BYTES_MAX) throw new RangeError(`An audit entry of ${bytes.length} bytes is too long.`);
      if (endByte < sizeBytes) await file.truncate(endByte);
      await writeAtEnd(file, bytes, endByte);
      if (endByte === 0) await syncDirectory(this.#directory);
      return readAuditLine(text)!;
    } finally {
      await file.close();
    }
  }

  /** Lines after a sequence number, oldest first, at most `limit`. Lines that are damaged are left out; `state` tells. */
  async read(afterSeq: number, limit: number): Promise<readonly AuditLine[]> {
    const found: AuditLine[] = [];
    for await (const text of this.#lines()) {
      const line = readAuditLine(text);
      if (line === null || line.seq <= afterSeq) continue;
      found.push(line);
      if (found.length === limit) break;
    }
    return found;
  }

  /** The last line that says one of these things; null where none does. */
  async last(actions: readonly AuditAction[]): Promise<AuditLine | null> {
    let last: AuditLine | null = null;
    for await (const text of this.#lines()) {
      const line = readAuditLine(text);
      if (line !== null && actions.includes(line.what)) last = line;
    }
    return last;
  }

  /** Reads the whole file where it changed since it was last checked. */
  async state(): Promise<AuditState> {
    const print = await fingerprint(this.#path);
    if (this.#checked?.print !== print) this.#checked = { print, state: await this.#verify() };
    return this.#checked.state;
  }

  async #verify(): Promise<AuditState> {
    let head = CHAIN_START;
    let entries = 0;
    let broken: string | null = null;
    for await (const text of this.#lines()) {
      entries += 1;
      const line = readAuditLine(text);
      if (line === null) broken ??= `Line ${entries} of ${FILE} was changed or damaged: its hash does not fit.`;
      else {
        if (!follows(line, head)) broken ??= `Line ${entries} of ${FILE} does not follow the line before it.`;
        head = line;
      }
    }
    return { entries, head: { seq: head.seq, hash: head.hash }, broken };
  }

  /**
   * Whole lines: what stands behind the last line feed was never acknowledged. Not by node:readline, to which a carriage return
   * ends a line too: a line feed that was changed into one would not be seen.
   */
  async *#lines(): AsyncIterable<string> {
    const size = await this.#wholeBytes();
    if (size === 0) return;
    let begun = '';
    for await (const text of createReadStream(this.#path, { end: size - 1, encoding: 'utf8' })) {
      const lines = (begun + text).split('\n');
      begun = lines.pop()!;
      yield* lines;
    }
  }

  async #wholeBytes(): Promise<number> {
    const file = await openToRead(this.#path);
    if (file === null) return 0;
    try {
      return (await endOf(file)).endByte;
    } finally {
      await file.close();
    }
  }
}

interface End {
  readonly head: ChainHead;
  /** Behind the last whole line. */
  readonly endByte: number;
  readonly sizeBytes: number;
}

/** The last whole line is within two lines' length of the end, unless somebody else wrote the file. */
async function endOf(file: FileHandle): Promise<End> {
  const { size: sizeBytes } = await file.stat();
  const length = Math.min(sizeBytes, 2 * LINE_BYTES_MAX);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, sizeBytes - length);
  const tail = buffer.subarray(0, bytesRead);
  const endByte = sizeBytes - length + tail.lastIndexOf(LINE_FEED) + 1;
  const lines = tail
    .subarray(0, tail.lastIndexOf(LINE_FEED) + 1)
    .toString('utf8')
    .split('\n');
  for (const text of lines.reverse()) {
    const line = readAuditLine(text);
    if (line !== null) return { head: { seq: line.seq, hash: line.hash }, endByte, sizeBytes };
  }
  return { head: CHAIN_START, endByte: tail.includes(LINE_FEED) ? endByte : 0, sizeBytes };
}
const LINE_FEED = 0x0a;

/** A line that could not be made durable is taken away again: it tells of a change that was not made. */
async function writeAtEnd(file: FileHandle, bytes: Buffer, endByte: number): Promise<void> {
  try {
    await file.appendFile(bytes);
    await file.datasync();
  } catch (error) {
    await file.truncate(endByte);
    throw error;
  }
}
