import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Json, type JsonObject, parseJson } from '../model/json.ts';
import type { PersonState } from '../model/person.ts';
import type { AppliedErasure } from './erased.ts';
import type { Checkpoints } from './fold.ts';
import { restored, shortened } from './json-phrases.ts';
import { packed, packedIn, tcfPartsOf, withTcfParts } from './packed-tcf.ts';

/**
 * Keys and values in the database.
 *
 * Key: `p` and the person's key in UTF-8; where that would be longer than LMDB takes, or the key is no well-formed text
 * (two lone surrogates are one replacement character in UTF-8), `h` and the SHA-256 of its UTF-16. `c`: the checkpoints.
 * Value: CRC-32, little-endian, of the database's key and the rest | 2 | JSON in UTF-8, shortened (json-phrases.ts): `[version, body]`, or for a key
 * of the second kind `[version, body, key]`. A person with a TC string: the same, with a 4 for the 2, and before the JSON, in which
 * they are empty, its hash and list of vendors (packed-tcf.ts); a list that others have too stands apart (vendor-lists.ts). LMDB has
 * no checksums of its own, and a flipped bit in a consent is not to be answered with.
 * Format 1, which is still read: CRC-32 of the rest | JSON: `[key, version, body]`. The checkpoints are as they were:
 * CRC-32 of the rest | JSON: `{format, checkpoints, erased?}`. Formats 2 and 3 packed no TC strings; 3 was 2 with erasures.
 */
export const STATE_FORMAT = 4;

/** LMDB's limit for pages of 4096 bytes, as lmdb-js builds it. */
export const KEY_BYTES_MAX = 1978;
/** Bytes of UTF-8 that one UTF-16 unit can need. */
const UTF8_BYTES_PER_UNIT = 3;

const CRC_BYTES = 4;
const PERSON_MARK = 2;
/** 3 was in no release. */
const TCF_MARK = 4;
/** JSON begins with a bracket, so this tells the formats apart. */
const MARK_BYTES = 1;
const HEAD_BYTES = CRC_BYTES + MARK_BYTES;

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

/** `at`: its `databaseKey`; `reference`: to the list of vendors that the person has, where it stands apart. */
export function encodePerson(person: PersonState, at: Buffer, reference: Buffer | null = null): Buffer {
  const parts = tcfPartsOf(person);
  if (parts === null) return sealedPerson(person, at, PERSON_MARK, NOTHING);
  return sealedPerson(withTcfParts(person, '', ''), at, TCF_MARK, packed(parts, reference));
}

function sealedPerson({ key, version, body }: PersonState, at: Buffer, mark: number, before: Buffer): Buffer {
  const text = shortened(JSON.stringify(isKeyItself(at) ? [version, body] : [version, body, key]));
  const head = HEAD_BYTES + before.length;
  const bytes = Buffer.allocUnsafe(head + Buffer.byteLength(text));
  bytes[CRC_BYTES] = mark;
  before.copy(bytes, HEAD_BYTES);
  bytes.write(text, head);
  bytes.writeUInt32LE(crc32(bytes.subarray(CRC_BYTES), crc32(at)), 0);
  return bytes;
}
const NOTHING = Buffer.alloc(0);

/**
 * Throws `StateDamaged`. `at`: the key that it stands at; `key`: whose it is to be, null where any person's will do; `listAt`: the
 * list of vendors that a reference leads to.
 */
export function decodePerson(
  value: Uint8Array,
  at: Buffer,
  key: string | null,
  listAt: (reference: Buffer) => string,
): PersonState {
  const mark = value[CRC_BYTES];
  if (mark !== PERSON_MARK && mark !== TCF_MARK) return decodeFormat1(value, key);
  const bytes = checkedBytes(value, at);
  if (mark === PERSON_MARK) return personIn(bytes.toString('utf8', MARK_BYTES), at, key);
  // The list last: what the bytes are lent from may be another value's afterwards.
  const tcf = packedIn(bytes.subarray(MARK_BYTES));
  const person = personIn(bytes.toString('utf8', MARK_BYTES + tcf.length), at, key);
  return withTcfParts(person, tcf.hash, typeof tcf.vendors === 'string' ? tcf.vendors : listAt(tcf.vendors));
}

function personIn(text: string, at: Buffer, key: string | null): PersonState {
  const [version, body, ownKey] = parseJson(restored(text)) as [number, JsonObject, string?];
  return { key: ownKey ?? key ?? at.toString('utf8', 1), version, body };
}

function decodeFormat1(value: Uint8Array, expectedKey: string | null): PersonState {
  const [key, version, body] = unsealed(value) as [string, number, PersonState['body']];
  if (expectedKey !== null && key !== expectedKey) throw new StateDamaged('a key leads to another person');
  return { key, version, body };
}

function isKeyItself(at: Buffer): boolean {
  return at[0] === KEY_ITSELF;
}
const KEY_ITSELF = 'p'.charCodeAt(0);

/** What stands beside the persons: how far state has come, and the erasures that the database has not carried out yet. */
export interface Standing {
  readonly checkpoints: Checkpoints;
  readonly erased: readonly AppliedErasure[];
}

export function encodeStanding({ checkpoints, erased }: Standing): Buffer {
  const standing = { format: STATE_FORMAT, checkpoints: [...checkpoints] };
  return sealed(JSON.stringify(erased.length === 0 ? standing : { ...standing, erased }));
}

/** Throws `StateDamaged`, or an error that names the format if a newer version of Weir wrote it. */
export function decodeStanding(value: Uint8Array): Standing {
  const { format, checkpoints, erased } = unsealed(value) as unknown as {
    format: number;
    checkpoints: [number, number][];
    erased?: AppliedErasure[];
  };
  if (format > STATE_FORMAT) {
    throw new Error(
      `The state database has format ${format}; this version reads formats up to ${STATE_FORMAT}. Start the version of Weir that wrote it, or a newer one, or move the folder away: it is rebuilt from the snapshots and the log.`,
    );
  }
  return { checkpoints: new Map(checkpoints), erased: erased ?? [] };
}

/** `at`: the key that it is to stand at; null where that is not checked. */
export function sealed(text: string, at: Buffer | null = null): Buffer {
  const bytes = Buffer.allocUnsafe(CRC_BYTES + Buffer.byteLength(text));
  bytes.write(text, CRC_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(CRC_BYTES), at === null ? 0 : crc32(at)), 0);
  return bytes;
}

function unsealed(value: Uint8Array): Json {
  return parseJson(checkedBytes(value, null).toString());
}

/** The bytes behind the checksum, which is to be that of them after `at`. One view of them: two cost 0.3 µs more. */
export function checkedBytes(value: Uint8Array, at: Buffer | null): Buffer {
  if (value.length <= CRC_BYTES) throw wrongChecksum();
  // Not byteLength: lmdb-js lends a larger buffer whose `length` it sets to the value's.
  const bytes = Buffer.from(value.buffer, value.byteOffset + CRC_BYTES, value.length - CRC_BYTES);
  const checksum = (value[0]! | (value[1]! << 8) | (value[2]! << 16) | (value[3]! << 24)) >>> 0;
  if (crc32(bytes, at === null ? 0 : crc32(at)) !== checksum) throw wrongChecksum();
  return bytes;
}

function wrongChecksum(): StateDamaged {
  return new StateDamaged('the checksum of a value does not match its bytes');
}
