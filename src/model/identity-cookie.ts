import type { IdentityCookie, IdentitySource } from './exchange.ts';

/**
 * The value of the identity cookie: a protobuf message in base64url. Layout, field by field as the captured value of the
 * Web SDK's tests has it (*observed*: capture 10); names of the fields as its source comments give them (*documented*):
 *
 *   1 ecid, text, first: the only field that the Web SDK reads
 *   10 { 1 created_at, ms · 2 is_new, 0 or 1 · 3 device_type, 1 = browser · 5 region, "VA6" · 6 source }
 *   30 write_time, ms
 *   60 signature, 17 bytes, last (*chosen*: stages/cookie-seal.ts)
 *
 * Other fields (20 last_sync, 21 sync_hash, 22 container_id, and whatever comes later) are skipped when read.
 */

/** A full cookie of ours has 118 characters; the documented ones, with sync state, stay under 300. A browser keeps 4096. */
export const IDENTITY_COOKIE_CHARACTERS_MAX = 1024;
/** Region hints are a few characters; the limit keeps every length in the message to one byte. */
export const REGION_HINT_CHARACTERS_MAX = 64;
/** Groups are obsolete in protobuf and nobody sends them; nesting is bounded because skipping them recurses. */
export const GROUP_DEPTH_MAX = 8;

const ECID_DIGITS = 38;
const DEVICE_BROWSER = 1;
/** By their numbers. Documented. */
const SOURCES: readonly IdentitySource[] = ['random', 'third-party', 'fpid', 'received'];

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED32 = 5;

const tag = (field: number, wireType: number): number => field * 8 + wireType;
const TAG_ECID = tag(1, BYTES);
const TAG_DETAILS = tag(10, BYTES);
const TAG_CREATED = tag(1, VARINT);
const TAG_IS_NEW = tag(2, VARINT);
const TAG_DEVICE = tag(3, VARINT);
const TAG_REGION = tag(5, BYTES);
const TAG_SOURCE = tag(6, VARINT);
const TAG_WRITTEN = tag(30, VARINT);

/** Key id and 128 bits. */
export const SIGNATURE_BYTES = 17;
/** Tag of field 60 (482, two bytes of a varint) and length. */
export const SIGNATURE_HEADER: Buffer = Buffer.from([0xe2, 0x03, SIGNATURE_BYTES]);
export const SIGNATURE_FIELD_BYTES = SIGNATURE_HEADER.length + SIGNATURE_BYTES;

// One buffer for both directions: while one function holds it, neither runs again (a signature only reads it). Allocating per call doubles the cost.
const scratch = Buffer.alloc(IDENTITY_COOKIE_CHARACTERS_MAX);

/**
 * The cookie's value, base64url without padding. `regionHint` is stored in upper case, as observed. `sign`: makes the
 * signature of the bytes that it is given; null writes none.
 */
export function encodeIdentityCookie(
  cookie: IdentityCookie,
  regionHint: string,
  sign: ((message: Uint8Array) => Uint8Array) | null,
): string {
  if (cookie.ecid.length !== ECID_DIGITS || regionHint.length > REGION_HINT_CHARACTERS_MAX) {
    throw new RangeError(
      `An identity cookie takes an ECID of ${ECID_DIGITS} digits and a region hint of at most ${REGION_HINT_CHARACTERS_MAX} characters.`,
    );
  }
  scratch[0] = TAG_ECID;
  scratch[1] = ECID_DIGITS;
  scratch.write(cookie.ecid, 2, ECID_DIGITS, 'latin1');
  let at = 2 + ECID_DIGITS;
  scratch[at++] = TAG_DETAILS;
  const lengthAt = at++;
  scratch[at++] = TAG_CREATED;
  at = writeVarint(cookie.createdAtMs, at);
  scratch[at++] = TAG_IS_NEW;
  scratch[at++] = cookie.isNew ? 1 : 0;
  scratch[at++] = TAG_DEVICE;
  scratch[at++] = DEVICE_BROWSER;
  scratch[at++] = TAG_REGION;
  scratch[at++] = regionHint.length;
  for (let i = 0; i < regionHint.length; i++) {
    const code = regionHint.charCodeAt(i);
    scratch[at++] = code >= 0x61 && code <= 0x7a ? code - 0x20 : code;
  }
  scratch[at++] = TAG_SOURCE;
  scratch[at++] = SOURCES.indexOf(cookie.source);
  scratch[lengthAt] = at - lengthAt - 1;
  at = writeVarint(TAG_WRITTEN, at);
  at = writeVarint(cookie.writtenAtMs, at);
  if (sign !== null) {
    const signature = sign(scratch.subarray(0, at));
    scratch.set(SIGNATURE_HEADER, at);
    scratch.set(signature, at + SIGNATURE_HEADER.length);
    at += SIGNATURE_FIELD_BYTES;
  }
  return scratch.toString('base64url', 0, at);
}

/** `value`: a whole number from 0 to 2^53 − 1. Times pass 32 bits, so this divides where bit operators would cut. */
function writeVarint(value: number, at: number): number {
  while (value >= 0x80) {
    const rest = Math.floor(value / 0x80);
    scratch[at++] = (value - rest * 0x80) | 0x80;
    value = rest;
  }
  scratch[at++] = value;
  return at;
}

/**
 * Reads a cookie's value; null for anything that is not one: a stranger wrote it. Takes base64 and base64url, padded or
 * not (`%3D` too). Without field 10 or 30 the times are 0, so that the cookie is written anew.
 */
export function decodeIdentityCookie(text: string): IdentityCookie | null {
  if (text.length === 0 || text.length > IDENTITY_COOKIE_CHARACTERS_MAX) return null;
  const end = decodeBase64(text);
  if (end === -1) return null;
  reader.at = 0;
  reader.failed = false;
  let ecid: string | null = null;
  let createdAtMs = 0;
  let isNew = false;
  let source: IdentitySource = 'random';
  let writtenAtMs = 0;
  while (reader.at < end) {
    const field = readVarint(end);
    if (field === TAG_WRITTEN) writtenAtMs = readVarint(end);
    else if (field === TAG_ECID) ecid = readEcid(end);
    else if (field === TAG_DETAILS) {
      const stop = readLength(end);
      while (reader.at < stop) {
        const inner = readVarint(stop);
        if (inner === TAG_CREATED) createdAtMs = readVarint(stop);
        else if (inner === TAG_IS_NEW) isNew = readVarint(stop) !== 0;
        else if (inner === TAG_SOURCE) source = SOURCES[readVarint(stop)] ?? 'received';
        else skip(inner, stop, 0);
      }
    } else skip(field, end, 0);
  }
  if (reader.failed || ecid === null) return null;
  // Only a random one is new. Documented.
  return { ecid, createdAtMs, isNew: isNew && source === 'random', source, writtenAtMs };
}

/** Where the reader stands in `scratch`. After a failure it stands at the very end, so that every loop stops. */
const reader = { at: 0, failed: false };

function fail(): number {
  reader.failed = true;
  reader.at = scratch.length;
  return 0;
}

/** 53 bits in groups of 7. */
const VARINT_BYTES_MAX = 8;

/** A varint below 2^53; longer ones fail. */
function readVarint(end: number): number {
  let value = 0;
  let scale = 1;
  for (let bytes = 0; bytes < VARINT_BYTES_MAX && reader.at < end; bytes++) {
    const byte = scratch[reader.at++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : fail();
    scale *= 0x80;
  }
  return fail();
}

/** A length-delimited field's end. */
function readLength(end: number): number {
  const stop = readVarint(end) + reader.at;
  if (reader.failed || stop > end) return fail();
  return stop;
}

function readEcid(end: number): string | null {
  const stop = readLength(end);
  if (stop - reader.at !== ECID_DIGITS) {
    fail();
    return null;
  }
  const start = reader.at;
  for (let i = start; i < stop; i++) {
    const digit = scratch[i]!;
    if (digit < 0x30 || digit > 0x39) {
      fail();
      return null;
    }
  }
  reader.at = stop;
  return scratch.toString('latin1', start, stop);
}

/** Passes over the value of a field that Weir does not read. */
function skip(field: number, end: number, depth: number): void {
  if (field < 8) {
    fail();
    return;
  }
  switch (field % 8) {
    case VARINT:
      skipVarint(end);
      return;
    case FIXED64:
      skipBytes(8, end);
      return;
    case BYTES: {
      const stop = readLength(end);
      if (!reader.failed) reader.at = stop;
      return;
    }
    case FIXED32:
      skipBytes(4, end);
      return;
    case GROUP_START:
      skipGroup(field - GROUP_START + GROUP_END, end, depth + 1);
      return;
    default:
      fail();
  }
}

function skipBytes(count: number, end: number): void {
  if (reader.at + count > end) fail();
  else reader.at += count;
}

/** 64 bits in groups of 7: a skipped number may be any 64-bit one (negative ones take all ten bytes). */
const VARINT64_BYTES_MAX = 10;

function skipVarint(end: number): void {
  for (let bytes = 0; bytes < VARINT64_BYTES_MAX && reader.at < end; bytes++) if (scratch[reader.at++]! < 0x80) return;
  fail();
}

function skipGroup(closing: number, end: number, depth: number): void {
  if (depth > GROUP_DEPTH_MAX) {
    fail();
    return;
  }
  while (reader.at < end) {
    const field = readVarint(end);
    if (field === closing) return;
    skip(field, end, depth);
  }
  fail();
}

const NO_DIGIT = 0xff;
const DIGITS = new Uint8Array(128).fill(NO_DIGIT);
{
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  for (let i = 0; i < alphabet.length; i++) DIGITS[alphabet.charCodeAt(i)] = i;
  for (const character of '+-') DIGITS[character.charCodeAt(0)] = 62;
  for (const character of '/_') DIGITS[character.charCodeAt(0)] = 63;
}

/** Decodes into `scratch`; the number of bytes, or −1. Written by hand because Node's decoder passes over garbage. */
function decodeBase64(text: string): number {
  const length = unpadded(text);
  if (length % 4 === 1) return -1;
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    const digit = code < 128 ? DIGITS[code]! : NO_DIGIT;
    if (digit === NO_DIGIT) return -1;
    bits = ((bits << 6) | digit) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      scratch[at++] = bits >> held;
    }
  }
  return at;
}

/** The length without up to two padding characters, which some clients send percent-encoded. */
function unpadded(text: string): number {
  let length = text.length;
  for (let i = 0; i < 2; i++) {
    if (text.charCodeAt(length - 1) === 0x3d) length -= 1;
    else if (length >= 3 && text.slice(length - 3, length).toLowerCase() === '%3d') length -= 3;
    else break;
  }
  return length;
}
