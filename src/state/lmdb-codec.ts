import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Json, parseJson } from '../model/json.ts';
import type { PersonState } from '../model/person.ts';
import type { Checkpoints } from './fold.ts';

/**
 * Keys and values in the database.
 *
 * Key: `p` and the person's key in UTF-8; where that would be longer than LMDB takes, or the key is no well-formed text
 * (two lone surrogates are one replacement character in UTF-8), `h` and the SHA-256 of its UTF-16. `c`: the checkpoints.
 * Value: CRC-32 of the rest, little-endian | JSON in UTF-8: `[key, version, body]`, or `{format, checkpoints}`. LMDB has
 * no checksums of its own, and a flipped bit in a consent is not to be answered with.
 */
export const STATE_FORMAT = 1;

/** LMDB's limit for pages of 4096 bytes, as lmdb-js builds it. */
export const KEY_BYTES_MAX = 1978;
/** Bytes of UTF-8 that one UTF-16 unit can need. */
const UTF8_BYTES_PER_UNIT = 3;

const CRC_BYTES = 4;

/** A value's bytes are not what was written. Names no person: the text goes to the operator's log. */
export class StateDamaged extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(
      `The state database is damaged: ${what}. Start the server again: the database is set aside and rebuilt from the snapshots and the log.`,
      options,
    );
    this.name = 'StateDamaged';
  }
}

export const CHECKPOINTS_KEY = Buffer.from('c');

export function databaseKey(key: string): Buffer {
  const fits = key.length * UTF8_BYTES_PER_UNIT < KEY_BYTES_MAX || Buffer.byteLength(key) + 1 <= KEY_BYTES_MAX;
  if (fits && isWellFormed(key)) return Buffer.from(`p${key}`);
  return Buffer.from(`h${createHash('sha256').update(key, 'utf16le').digest('hex')}`);
}

/** `String.prototype.isWellFormed` is of ES2024: every supported Node has it, the library types of ES2023 do not. */
function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}

export function encodePerson({ key, version, body }: PersonState): Buffer {
  return sealed(JSON.stringify([key, version, body]));
}

/** Throws `StateDamaged`. `expectedKey`: null where any person will do. */
export function decodePerson(value: Uint8Array, expectedKey: string | null): PersonState {
  const [key, version, body] = unsealed(value) as [string, number, PersonState['body']];
  if (expectedKey !== null && key !== expectedKey) throw new StateDamaged('a key leads to another person');
  return { key, version, body };
}

export function encodeCheckpoints(checkpoints: Checkpoints): Buffer {
  return sealed(JSON.stringify({ format: STATE_FORMAT, checkpoints: [...checkpoints] }));
}

/** Throws `StateDamaged`, or an error that names the format if a newer version of Weir wrote it. */
export function decodeCheckpoints(value: Uint8Array): Checkpoints {
  const { format, checkpoints } = unsealed(value) as { format: number; checkpoints: [number, number][] };
  if (format > STATE_FORMAT) {
    throw new Error(
      `The state database has format ${format}; this version reads format ${STATE_FORMAT}. Start the version of Weir that wrote it, or a newer one, or move the folder away: it is rebuilt from the snapshots and the log.`,
    );
  }
  return new Map(checkpoints);
}

function sealed(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(CRC_BYTES + Buffer.byteLength(text));
  bytes.write(text, CRC_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(CRC_BYTES)), 0);
  return bytes;
}

function unsealed(value: Uint8Array): Json {
  // Not byteLength: lmdb-js lends a larger buffer whose `length` it sets to the value's.
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const text = bytes.subarray(CRC_BYTES);
  if (bytes.length <= CRC_BYTES || crc32(text) !== bytes.readUInt32LE(0)) {
    throw new StateDamaged('the checksum of a value does not match its bytes');
  }
  return parseJson(text.toString());
}
