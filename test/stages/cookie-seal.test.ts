import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Exchange, IdentityCookie } from '../../src/model/exchange.ts';
import { decodeIdentityCookie, encodeIdentityCookie, SIGNATURE_FIELD_BYTES } from '../../src/model/identity-cookie.ts';
import { Answer, IDENTITY_COOKIE_REWRITE_MS } from '../../src/stages/answer.ts';
import { CookieSeal } from '../../src/stages/cookie-seal.ts';
import { DuplicateWindow } from '../../src/stages/duplicates.ts';
import { Identify } from '../../src/stages/identify.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { IdentityCounts } from '../../src/telemetry/identity-counts.ts';
import {
  clientOf,
  datastreamOf,
  ECID_A,
  ECID_B,
  exchangeOf,
  identityOf,
  identityTools,
  NOW_MS,
  ORG,
  PREFIX,
  RULES,
} from '../support/exchanges.ts';

const OLD = Buffer.alloc(32, 1);
const NEW = Buffer.alloc(32, 2);
const seal = new CookieSeal([OLD]);
const OTHER_ORG = 'OTHER@AdobeOrg';

const cookie = (ecid = ECID_A, writtenAtMs = NOW_MS): IdentityCookie => ({
  ecid,
  createdAtMs: 1_000,
  isNew: true,
  source: 'random',
  writtenAtMs,
});
const signed = (by = seal, org = ORG, of = cookie()): string =>
  encodeIdentityCookie(of, 'or2', (message) => by.sign(org, message));
const unsigned = (of = cookie()): string => encodeIdentityCookie(of, 'or2', null);

/** Every text that differs from this one in a bit of a character. */
function flipped(text: string): string[] {
  const bits = Array.from({ length: text.length * 8 }, (_, bit) => bit);
  return bits.map((bit) => {
    const bytes = Buffer.from(text, 'latin1');
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    return bytes.toString('latin1');
  });
}

/** Every message that differs from this one's in a bit. */
function flippedBytes(text: string): string[] {
  const bits = Array.from({ length: Buffer.from(text, 'base64url').length * 8 }, (_, bit) => bit);
  return bits.map((bit) => {
    const bytes = Buffer.from(text, 'base64url');
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    return bytes.toString('base64url');
  });
}

describe('a signed cookie', () => {
  test('is read as one without a signature is, by whoever knows no signatures', () => {
    expect(decodeIdentityCookie(signed())).toEqual(decodeIdentityCookie(unsigned()));
    expect(Buffer.from(signed(), 'base64url')).toHaveLength(
      Buffer.from(unsigned(), 'base64url').length + SIGNATURE_FIELD_BYTES,
    );
  });

  test('is known for what it is: this one is what an upgrade must not refuse', () => {
    expect(seal.isSigned(signed(), ORG)).toBe(true);
    expect(signed()).toBe(
      'CiYxMTExMTExMTExMTExMTExMTExMjIyMjIyMjIyMjIyMjIyMjIyMlIOCOgHEAEYASoDT1IyMADwAcDT9r2gNOIDEXLIaEByI4OFB1bIJsxNV_zc',
    );
  });

  test.each([
    ['without a signature', unsigned()],
    ['of another org', signed(seal, OTHER_ORG)],
    ['of another key', signed(new CookieSeal([NEW]))],
    ['empty', ''],
    ['no cookie', 'garbage'],
    ['the signature alone', Buffer.from(signed(), 'base64url').subarray(-SIGNATURE_FIELD_BYTES).toString('base64url')],
    ['padded', `${signed()}==`],
    ['with space', ` ${signed()}`],
    [
      'in the other alphabet of base64',
      Buffer.from(signed(seal, ORG, cookie(ECID_B, NOW_MS + 63)), 'base64url').toString('base64'),
    ],
    ['with another’s signature', unsigned() + signed(seal, ORG, cookie(ECID_B)).slice(unsigned().length)],
    [
      'signed twice',
      Buffer.concat([
        Buffer.from(signed(), 'base64url'),
        Buffer.from(signed(), 'base64url').subarray(-SIGNATURE_FIELD_BYTES),
      ]).toString('base64url'),
    ],
  ])('is not one: %s', (_what, text) => {
    expect(seal.isSigned(text, ORG)).toBe(false);
  });

  test('is none with any bit of its text flipped, of its message flipped, or cut short', () => {
    const text = signed();
    const forged = [...flipped(text), ...flippedBytes(text), ...Array.from(text, (_, length) => text.slice(0, length))];
    expect(forged.filter((one) => seal.isSigned(one, ORG))).toEqual([]);
    expect(forged.length).toBeGreaterThan(1_600);
  });
});

describe('keys', () => {
  test('rotate: the new one signs, both are believed, then the old one no more', () => {
    const [before, during, after] = [new CookieSeal([OLD]), new CookieSeal([NEW, OLD]), new CookieSeal([NEW])];
    const believed = (text: string) => [before, during, after].map((one) => one.isSigned(text, ORG));
    expect(believed(signed(before))).toEqual([true, true, false]);
    expect(believed(signed(during))).toEqual([false, true, true]);
    expect(signed(during)).toBe(signed(after));
  });

  test('that cannot be told apart are refused', () => {
    expect(() => new CookieSeal([OLD, OLD])).toThrow(/cannot tell them apart/);
  });

  test('sign what they did not make themselves in no two ways', () => {
    const message = randomBytes(40);
    expect(seal.sign(ORG, message)).toEqual(seal.sign(ORG, message));
    expect(seal.sign(OTHER_ORG, message)).not.toEqual(seal.sign(ORG, message));
  });
});

describe('where signatures are required', () => {
  const counts = new IdentityCounts();
  const tools = identityTools({ seal, requireSigned: true, counts });
  const identified = (text: string, requireSigned = true): Exchange => {
    const x = exchangeOf({ client: clientOf({ cookies: new Map([[`${PREFIX}identity`, text]]) }) });
    new Identify(new MemoryState(), new DuplicateWindow(), { ...tools, requireSigned }).run(x);
    return x;
  };

  test('a cookie that is signed names its visitor', () => {
    expect(identified(signed())).toMatchObject({ ecid: ECID_A, identityCookie: { ecid: ECID_A } });
  });

  test('none that was tampered with, replayed from another org, or never signed names anybody', () => {
    const forged = [unsigned(), signed(seal, OTHER_ORG), ...flipped(signed())];
    for (const text of forged) {
      const x = identified(text);
      expect({ text, ecid: x.ecid === ECID_A, cookie: x.identityCookie }).toEqual({ text, ecid: false, cookie: null });
    }
    expect(counts.unverified).toBeGreaterThan(300);
  });

  test('and where they are not, an unsigned one does', () => {
    expect(identified(unsigned(), false).ecid).toBe(ECID_A);
  });
});

describe('a cookie that is renewed after a day', () => {
  const written = NOW_MS - IDENTITY_COOKIE_REWRITE_MS;
  const renewed = (text: string, counts: IdentityCounts): string => {
    const identityCookie = decodeIdentityCookie(text);
    const client = clientOf({ cookies: new Map([[`${PREFIX}identity`, text]]) });
    const x = exchangeOf({ ecid: ECID_A, identityCookie, client });
    new Answer([], seal, counts).run(x);
    return x.cookies.find(({ key }) => key === `${PREFIX}identity`)!.value;
  };

  test.each<[string, string, Partial<IdentityCookie>, Partial<IdentityCounts>]>([
    [
      'signed',
      signed(seal, ORG, cookie(ECID_A, written)),
      { source: 'random', isNew: true },
      { verified: 1, unverified: 0 },
    ],
    [
      'unsigned',
      unsigned(cookie(ECID_A, written)),
      { source: 'received', isNew: false },
      { verified: 0, unverified: 1 },
    ],
  ])('%s: it is signed, and says of itself no more than is known', (_what, text, says, counted) => {
    const counts = new IdentityCounts();
    const value = renewed(text, counts);
    expect(seal.isSigned(value, ORG)).toBe(true);
    expect(decodeIdentityCookie(value)).toMatchObject({
      ecid: ECID_A,
      createdAtMs: 1_000,
      writtenAtMs: NOW_MS,
      ...says,
    });
    expect(counts).toMatchObject(counted);
  });
});

describe('cookies of a foreign org are counted', () => {
  /** Of another org that the workspace has. */
  const OWN = 'kndctr_SECOND_AdobeOrg_identity';
  const rules = { ...RULES, cookieNames: new Set([OWN, `${PREFIX}identity`]) };
  const datastream = datastreamOf({ identity: identityOf({ rules }) });
  const foreign = 'kndctr_OTHER_AdobeOrg_identity';
  const entries = (key: string) => ({ received: { meta: { state: { entries: [{ key, value: 'x' }] } } } });
  test.each<[string, Parameters<typeof exchangeOf>[0], number]>([
    ['in the header', { client: clientOf({ cookies: new Map([[foreign, 'x']]) }) }, 1],
    ['in the entries', entries(foreign), 1],
    [
      'beside the own',
      {
        client: clientOf({
          cookies: new Map([
            [foreign, 'x'],
            [`${PREFIX}identity`, unsigned()],
          ]),
        }),
      },
      0,
    ],
    ['in the header, of an org of the workspace', { client: clientOf({ cookies: new Map([[OWN, 'x']]) }) }, 0],
    ['in the entries, of an org of the workspace', entries(OWN), 1],
    ['another cookie of that org', entries('kndctr_OTHER_AdobeOrg_cluster'), 0],
    ['none', {}, 0],
  ])('%s', (_what, fields, wanted) => {
    const counts = new IdentityCounts();
    new Identify(new MemoryState(), new DuplicateWindow(), identityTools({ counts })).run(
      exchangeOf({ datastream, ...fields }),
    );
    expect(counts.foreign).toBe(wanted);
  });
});
