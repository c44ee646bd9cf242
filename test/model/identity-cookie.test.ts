import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IdentityCookie } from '../../src/model/exchange.ts';
import {
  decodeIdentityCookie,
  encodeIdentityCookie,
  GROUP_DEPTH_MAX,
  IDENTITY_COOKIE_CHARACTERS_MAX,
  REGION_HINT_CHARACTERS_MAX,
} from '../../src/model/identity-cookie.ts';

/** As the captured Web SDK requests carry it, in the Cookie header and in meta.state.entries. */
const CAPTURED = 'CiY0MTg2MTY2NjE5MzE0MDE2MTkzNDI3Njg0NTY1MTE0ODg3Njk4OFISCIiXubSgNBABGAEqA1ZBNjAA8AGIl7m0oDQ';
const CAPTURED_COOKIE: IdentityCookie = {
  ecid: '41861666193140161934276845651148876988',
  createdAtMs: 1795406318472,
  isNew: true,
  source: 'random',
  writtenAtMs: 1795406318472,
};

const ecidBytes = [0x0a, 38, ...Buffer.from(CAPTURED_COOKIE.ecid)];
const varint = (value: bigint): number[] =>
  value < 0x80n ? [Number(value)] : [Number(value & 0x7fn) | 0x80, ...varint(value >> 7n)];
const tag = (field: number, wireType: number): number[] => varint(BigInt(field * 8 + wireType));
const message = (...parts: readonly number[][]): string => Buffer.from(parts.flat()).toString('base64url');
const read = (...parts: readonly number[][]) => decodeIdentityCookie(message(...parts));

describe('the captured value', () => {
  test('is read field by field', () => {
    expect(decodeIdentityCookie(CAPTURED)).toEqual(CAPTURED_COOKIE);
  });

  test('is written byte for byte', () => {
    expect(encodeIdentityCookie(CAPTURED_COOKIE, 'va6', null)).toBe(CAPTURED);
  });
});

describe('any cookie', () => {
  const cookies = fc.record({
    ecid: fc.stringMatching(/^[0-9]{38}$/),
    createdAtMs: fc.maxSafeNat(),
    isNew: fc.constant(false),
    source: fc.constantFrom('random' as const, 'third-party' as const, 'fpid' as const, 'received' as const),
    writtenAtMs: fc.maxSafeNat(),
  });
  const hints = fc.stringMatching(new RegExp(`^[a-z0-9]{1,${REGION_HINT_CHARACTERS_MAX}}$`));

  test('is read back as it was written', () => {
    fc.assert(
      fc.property(cookies, hints, (cookie, hint) => {
        const text = encodeIdentityCookie(cookie, hint, null);
        expect(decodeIdentityCookie(text)).toEqual(cookie);
        expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(text.length).toBeLessThan(IDENTITY_COOKIE_CHARACTERS_MAX);
      }),
    );
  });

  test('starts with the ECID, which is all that the Web SDK reads', () => {
    const bytes = Buffer.from(encodeIdentityCookie(CAPTURED_COOKIE, 'or2', null), 'base64url');
    expect([...bytes.subarray(0, 40)]).toEqual(ecidBytes);
    expect(bytes.includes('OR2')).toBe(true);
  });

  test.each(['=', '==', '%3D', '%3d%3D'])('is read with the padding %s', (padding) => {
    expect(decodeIdentityCookie(CAPTURED + padding)).not.toBeNull();
  });

  test('is read in both alphabets', () => {
    const bytes = [...ecidBytes, ...tag(21, 2), 3, 0xfb, 0xff, 0xfe];
    expect(Buffer.from(bytes).toString('base64')).toMatch(/[+/]/);
    expect(Buffer.from(bytes).toString('base64url')).toMatch(/[-_]/);
    expect(decodeIdentityCookie(Buffer.from(bytes).toString('base64'))?.ecid).toBe(CAPTURED_COOKIE.ecid);
    expect(decodeIdentityCookie(Buffer.from(bytes).toString('base64url'))?.ecid).toBe(CAPTURED_COOKIE.ecid);
  });
});

describe('fields that Weir does not read', () => {
  test('a value of 2020, which has a number in field 4 of the details and no region', () => {
    const details = [...tag(1, 0), ...varint(1590000000000n), ...tag(2, 0), 1, ...tag(3, 0), 1, ...tag(4, 0), 9];
    expect(read(ecidBytes, [...tag(10, 2), details.length, ...details], [...tag(30, 0), ...varint(7n)])).toEqual({
      ecid: CAPTURED_COOKIE.ecid,
      createdAtMs: 1590000000000,
      isNew: true,
      source: 'random',
      writtenAtMs: 7,
    });
  });

  const group = (depth: number): number[] =>
    depth === 0 ? [...tag(1, 0), 5] : [...tag(40, 3), ...group(depth - 1), ...tag(40, 4)];
  const skipped: readonly (readonly [string, number[]])[] = [
    ['a varint', [...tag(20, 0), ...varint(1795406318472n)]],
    ['a negative number', [...tag(20, 0), ...varint(2n ** 64n - 1n)]],
    ['64 bits', [...tag(60, 1), 1, 2, 3, 4, 5, 6, 7, 8]],
    ['bytes', [...tag(21, 2), 3, 0xff, 0, 0x80]],
    ['no bytes', [...tag(21, 2), 0]],
    ['32 bits', [...tag(60, 5), 1, 2, 3, 4]],
    ['a group', group(1)],
    ['groups as deep as allowed', group(GROUP_DEPTH_MAX)],
    ['a field of a high number', [...tag(536870911, 0), 1]],
    ['a known field of another type', [...tag(1, 0), 1]],
  ];
  test.each(skipped)('%s is passed over, before and after the ECID', (_what, bytes) => {
    expect(read(bytes, ecidBytes, [...tag(30, 0), 7])?.writtenAtMs).toBe(7);
    expect(read(ecidBytes, bytes, [...tag(30, 0), 7])?.writtenAtMs).toBe(7);
    expect(read(ecidBytes, [...tag(10, 2), bytes.length + 2, ...bytes, ...tag(1, 0), 9])?.createdAtMs).toBe(9);
  });

  const broken: readonly (readonly [string, number[]])[] = [
    ['groups too deep', group(GROUP_DEPTH_MAX + 1)],
    ['a group without an end', [...tag(40, 3), ...tag(1, 0), 5]],
    ['an end without a group', tag(40, 4)],
    ['a group that ends as another', [...tag(40, 3), ...tag(41, 4)]],
    ['wire type 6', tag(20, 6)],
    ['wire type 7', tag(20, 7)],
    ['field 0', [...tag(0, 0), 1]],
    ['a varint of eleven bytes', [...tag(20, 0), ...new Array(10).fill(0x80), 1]],
    ['a length past the end', [...tag(21, 2), 100]],
    ['a length one past the end', [...tag(21, 2), 3, 1, 2]],
    ['a length of 2^53', [...tag(21, 2), ...varint(2n ** 53n)]],
    ['64 bits cut off', [...tag(60, 1), 1, 2, 3]],
    ['32 bits cut off', [...tag(60, 5), 1, 2, 3]],
    ['a write time past 2^53', [...tag(30, 0), ...varint(2n ** 53n)]],
    ['a negative write time', [...tag(30, 0), ...varint(2n ** 64n - 1n)]],
    ['details that reach past their length', [...tag(10, 2), 2, ...tag(1, 0), 0x80, 1]],
  ];
  test.each(broken)('%s makes it no cookie', (_what, bytes) => {
    expect(read(ecidBytes, bytes)).toBeNull();
  });

  test.each([
    [0, 'random', true],
    [1, 'third-party', false],
    [2, 'fpid', false],
    [3, 'received', false],
    [4, 'received', false],
  ])('source %i is %s, and new only where it is random', (number, source, isNew) => {
    const details = [...tag(2, 0), 1, ...tag(6, 0), number];
    expect(read(ecidBytes, [...tag(10, 2), details.length, ...details])).toMatchObject({ source, isNew });
  });

  test('the largest time that is a whole number in JavaScript is read', () => {
    const at = BigInt(Number.MAX_SAFE_INTEGER);
    expect(read(ecidBytes, [...tag(30, 0), ...varint(at)])?.writtenAtMs).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('without times it counts as never written', () => {
    expect(read(ecidBytes)).toEqual({
      ecid: CAPTURED_COOKIE.ecid,
      createdAtMs: 0,
      isNew: false,
      source: 'random',
      writtenAtMs: 0,
    });
  });
});

describe('what is no cookie', () => {
  const digits = (text: string): number[] => [0x0a, text.length, ...Buffer.from(text)];
  test.each([
    ['nothing', ''],
    ['padding alone', '=='],
    ['one character', 'C'],
    ['other characters', `${CAPTURED.slice(0, 40)}*${CAPTURED.slice(41)}`],
    ['a character past ASCII', CAPTURED.replace('A', 'Á')],
    ['a character left over', `${message(ecidBytes, [...tag(2, 0), 5])}A`],
    ['white space', ` ${CAPTURED}`],
    ['padding within', `${CAPTURED.slice(0, 40)}=${CAPTURED.slice(41)}`],
    ['three of padding', `${CAPTURED}===`],
    ['no ECID', message([...tag(30, 0), 7])],
    ['an ECID of 37 digits', message(digits('1'.repeat(37)))],
    ['an ECID of 39 digits', message(digits('1'.repeat(39)))],
    ['an ECID with a letter', message(digits(`${'1'.repeat(37)}a`))],
    ['an ECID that is cut off', message(ecidBytes.slice(0, 39))],
  ])('%s', (_what, text) => {
    expect(decodeIdentityCookie(text)).toBeNull();
  });

  test('one that is longer than any cookie of ours, by one character', () => {
    const padded = (bytes: number): string =>
      message(ecidBytes, [...tag(21, 2), ...varint(BigInt(bytes)), ...new Array(bytes).fill(0)]);
    const fits = padded(768 - 40 - 2 - 2);
    expect(fits.length).toBe(IDENTITY_COOKIE_CHARACTERS_MAX);
    expect(decodeIdentityCookie(fits)).not.toBeNull();
    expect(decodeIdentityCookie(padded(768 - 40 - 2 - 1))).toBeNull();
  });

  test('every truncation and every flipped bit is answered, never thrown, and leaves a usable ECID or null', () => {
    const bytes = Buffer.from(CAPTURED, 'base64url');
    const judge = (text: string): void => {
      const cookie = decodeIdentityCookie(text);
      if (cookie === null) return;
      expect(cookie.ecid).toMatch(/^[0-9]{38}$/);
      expect(Number.isSafeInteger(cookie.createdAtMs) && Number.isSafeInteger(cookie.writtenAtMs)).toBe(true);
    };
    for (let length = 0; length < bytes.length; length++) judge(bytes.subarray(0, length).toString('base64url'));
    for (let length = 0; length < CAPTURED.length; length++) judge(CAPTURED.slice(0, length));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      judge(flipped.toString('base64url'));
    }
    for (let i = 0; i < CAPTURED.length * 7; i++) {
      const at = Math.floor(i / 7);
      const code = CAPTURED.charCodeAt(at) ^ (1 << (i % 7));
      judge(CAPTURED.slice(0, at) + String.fromCharCode(code) + CAPTURED.slice(at + 1));
    }
  });

  test('random bytes and random text never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeIdentityCookie(Buffer.from(bytes).toString('base64url'));
        read(ecidBytes, [...bytes]);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        decodeIdentityCookie(text);
      }),
    );
  });
});

test('a region hint that would break the layout is our own mistake, and said', () => {
  expect(() => encodeIdentityCookie(CAPTURED_COOKIE, 'x'.repeat(REGION_HINT_CHARACTERS_MAX), null)).not.toThrow();
  expect(() => encodeIdentityCookie(CAPTURED_COOKIE, 'x'.repeat(REGION_HINT_CHARACTERS_MAX + 1), null)).toThrow(
    RangeError,
  );
  expect(() => encodeIdentityCookie({ ...CAPTURED_COOKIE, ecid: '1' }, 'or2', null)).toThrow(RangeError);
});
