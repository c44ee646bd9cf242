import { crc32 } from 'node:zlib';
import type { FileHandle, Fs } from '../model/fs.ts';
import { isObject, type Json, parseJson } from '../model/json.ts';
import type { PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';

/**
 * One snapshot of state as a file of JSON lines in UTF-8, readable with any text tool and independent of the engine:
 *
 *     {"weir":"snapshot","format":1,"partition":0,"offset":41}
 *     ["<person's key>",<version>,{<body>}]        one line per person, in no order
 *     {"persons":<number of those lines>,"crc32":"<8 hex>"}
 *
 * The CRC-32 (zlib's) covers every byte before the last line. A file is good only if its header names the position that
 * its name does, the count and the checksum agree, and nothing follows the last line.
 */
export const SNAPSHOT_FORMAT = 1;

/** Written and read in pieces of about this size: some 100 persons, well under a millisecond of the event loop. */
export const PIECE_BYTES = 64 * 1024;
/** A person's line may not be longer. Bodies are at most 64 KB and a person has few sections: more is damage. */
export const LINE_BYTES_MAX = 64 * 1024 * 1024;

/** A snapshot's bytes are not what was written. `message` says which file and what is wrong with it. */
export class SnapshotDamaged extends Error {
  constructor(path: string, what: string, options?: ErrorOptions) {
    super(`The snapshot ${path} is damaged: ${what}.`, options);
    this.name = 'SnapshotDamaged';
  }
}

/** The file was written by a newer version of Weir. It is left alone. */
export class UnknownSnapshotFormat extends Error {}

/** Writes a new file and syncs its data. Its name is not durable before the folder is synced. Returns the persons written. */
export async function writeSnapshotFile(
  fs: Fs,
  path: string,
  position: Position,
  persons: Iterable<PersonState> | AsyncIterable<PersonState>,
): Promise<number> {
  const file = await fs.open(path, 'create');
  try {
    const out = new LineWriter(file);
    await out.line(headerOf(position));
    let count = 0;
    for await (const { key, version, body } of persons) {
      const full = out.line(JSON.stringify([key, version, body]));
      if (full !== undefined) await full;
      count += 1;
    }
    await out.end((crc) => JSON.stringify({ persons: count, crc32: crc.toString(16).padStart(8, '0') }));
    await file.datasync();
    return count;
  } finally {
    await file.close();
  }
}

/**
 * The persons of a snapshot. What was yielded may be used only once the iteration has ended without an error: the
 * checksum stands at the end. Throws `SnapshotDamaged`, `UnknownSnapshotFormat` or what the file system says.
 */
export async function* readSnapshotFile(fs: Fs, path: string, position: Position): AsyncGenerator<PersonState> {
  const damaged = (what: string, cause?: unknown): SnapshotDamaged => new SnapshotDamaged(path, what, { cause });
  let crc = 0;
  let count = 0;
  let stage: 'header' | 'persons' | 'ended' = 'header';
  for await (const line of linesOf(fs, path, damaged)) {
    if (stage === 'ended') throw damaged('bytes follow its last line');
    const text = line.subarray(0, -1).toString();
    if (stage === 'header') {
      checkHeader(text, position, path, damaged);
      stage = 'persons';
    } else if (line[0] === FOOTER_START) {
      checkFooter(parsed(text, damaged), count, crc, damaged);
      stage = 'ended';
    } else {
      yield personOf(parsed(text, damaged), damaged);
      count += 1;
    }
    crc = crc32(line, crc);
  }
  if (stage !== 'ended') throw damaged('its end is missing');
}

const FOOTER_START = '{'.charCodeAt(0);
const LINE_END = '\n'.charCodeAt(0);
type Damaged = (what: string, cause?: unknown) => SnapshotDamaged;

function headerOf({ partition, offset }: Position): string {
  return JSON.stringify({ weir: 'snapshot', format: SNAPSHOT_FORMAT, partition, offset });
}

/** A header is known by its exact text, so that no flipped bit in it goes unseen. */
function checkHeader(text: string, position: Position, path: string, damaged: Damaged): void {
  if (text === headerOf(position)) return;
  const format = /^\{"weir":"snapshot","format":(\d+),/.exec(text)?.[1];
  if (format !== undefined && Number(format) > SNAPSHOT_FORMAT) {
    throw new UnknownSnapshotFormat(
      `The snapshot ${path} has format ${format}; this version reads format ${SNAPSHOT_FORMAT}. Start the version of Weir that wrote it, or a newer one.`,
    );
  }
  throw damaged(`its first line is not the header of a snapshot at ${position.partition}:${position.offset}`);
}

function checkFooter(footer: Json, count: number, crc: number, damaged: Damaged): void {
  if (!isObject(footer) || footer['persons'] !== count) throw damaged(`it holds ${count} persons and says otherwise`);
  if (footer['crc32'] !== crc.toString(16).padStart(8, '0')) throw damaged('its checksum does not match its bytes');
}

function personOf(line: Json, damaged: Damaged): PersonState {
  if (!Array.isArray(line)) throw damaged('a line of it is no person');
  const [key, version, body] = line;
  if (typeof key !== 'string' || typeof version !== 'number' || !isObject(body)) {
    throw damaged('a line of it is no person');
  }
  return { key, version, body };
}

function parsed(text: string, damaged: Damaged): Json {
  try {
    return parseJson(text);
  } catch (error) {
    throw damaged('a line of it is no JSON', error);
  }
}

/** Collects lines and writes them in pieces, with the checksum of all. A short write is continued. */
class LineWriter {
  readonly #file: FileHandle;
  #lines: string[] = [];
  #pending = 0;
  #position = 0;
  #crc = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  line(text: string): undefined | Promise<void> {
    this.#lines.push(text, '\n');
    this.#pending += text.length + 1;
    return this.#pending < PIECE_BYTES ? undefined : this.#write();
  }

  /** Writes what is left, then the last line, which is told the checksum of everything before it. */
  async end(last: (crc: number) => string): Promise<void> {
    await this.#write();
    this.#lines.push(last(this.#crc), '\n');
    await this.#write();
  }

  async #write(): Promise<void> {
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#pending = 0;
    this.#crc = crc32(bytes, this.#crc);
    for (let at = 0; at < bytes.length; ) {
      const written = await this.#file.write(bytes, at, bytes.length - at, this.#position);
      if (written === 0) throw Object.assign(new Error('The disk took no bytes of a write.'), { code: 'EIO' });
      at += written;
      this.#position += written;
    }
  }
}

/** The lines of a file, each with its line end. */
async function* linesOf(fs: Fs, path: string, damaged: Damaged): AsyncGenerator<Buffer> {
  const file = await fs.open(path, 'read');
  try {
    let rest = Buffer.alloc(0);
    for (let position = 0; ; ) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const readPiece = (): Promise<number> => file.read(piece, 0, PIECE_BYTES, position);
      // Twice: a snapshot that is called damaged is not read any more, and the disk may have refused this once.
      const read = await readPiece()
        .catch(readPiece)
        .catch((error: unknown) => {
          throw damaged(`the disk does not give its bytes from ${position} on`, error);
        });
      if (read === 0) break;
      position += read;
      const bytes = rest.length === 0 ? piece.subarray(0, read) : Buffer.concat([rest, piece.subarray(0, read)]);
      let start = 0;
      for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, start)) {
        yield bytes.subarray(start, end + 1);
        start = end + 1;
      }
      rest = bytes.subarray(start);
      if (rest.length > LINE_BYTES_MAX) throw damaged('a line of it is longer than any person');
    }
    if (rest.length > 0) throw damaged('its last line is cut off');
  } finally {
    await file.close();
  }
}
