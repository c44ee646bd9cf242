import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentPart, type TokenClaims } from '../../src/model/decision-token.ts';
import { TOKEN_CHARACTERS_MAX, TokenSeal } from '../../src/stages/token-seal.ts';
import { tokenOf } from '../support/event-tokens.ts';
import { ECID_A, ECID_B, ORG } from '../support/exchanges.ts';

const KEY_A = Buffer.alloc(32, 1);
const KEY_B = Buffer.alloc(32, 2);
const seal = new TokenSeal([KEY_A]);
const CLAIMS: TokenClaims = {
  requestId: 'request-0123456789abcdef',
  eventIndex: 0,
  activityId: 'hero',
  experienceId: 'b',
  scope: '__view__',
  atSeconds: 1_795_426_200,
  isPreview: false,
  isBot: false,
};

const claims = fc.record({
  requestId: fc.string({ minLength: 1 }),
  eventIndex: fc.nat(999),
  activityId: fc.string({ unit: 'grapheme' }),
  experienceId: fc.string(),
  scope: fc.string({ unit: 'grapheme' }),
  atSeconds: fc.nat(),
  isPreview: fc.boolean(),
  isBot: fc.boolean(),
});

function oldToken(ecid: string): string {
  const text = Buffer.from('["request-0123456789abcdef",0,"hero","b","__view__",1795426200,0]');
  const mac = createHmac('sha256', KEY_A).update(`event token\0${ORG}\0${ecid}\0`).update(text).digest();
  const id = createHash('sha256').update(KEY_A).digest().subarray(0, 1);
  return Buffer.concat([id, mac.subarray(0, 16), text]).toString('base64url');
}

/** With any bit changed, cut short at any byte, or spelt in another way. */
function forgeriesOf(part: string): string[] {
  const bytes = Buffer.from(part, 'base64url');
  const forged: string[] = [`${part}=`, `${part}A`, ` ${part}`, `${part} `, '', 'A'];
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    forged.push(changed.toString('base64url'));
  }
  for (let end = 0; end < bytes.length; end++) forged.push(bytes.subarray(0, end).toString('base64url'));
  return forged.filter((text) => text !== part);
}

describe('an event token', () => {
  test('says what was signed, to whom it was signed', () => {
    fc.assert(
      fc.property(claims, fc.constantFrom(ECID_A, null), (said, ecid) => {
        expect(seal.open(ORG, ecid, tokenOf(seal, ORG, ecid, said))).toEqual(said);
      }),
    );
  });

  test('is what all of its decision say, what it says alone, and a tag that a secret of the decision makes', () => {
    const [decision, content, tag] = tokenOf(seal, ORG, ECID_A, CLAIMS).split('.');
    const said = Buffer.from(decision!, 'base64url');
    expect(said.subarray(0, 1)).toEqual(createHash('sha256').update(KEY_A).digest().subarray(0, 1));
    expect(said.toString('utf8', 1)).toBe('["request-0123456789abcdef",0,1795426200,0]');
    expect(Buffer.from(content!, 'base64url').toString()).toBe('["hero","b","__view__",0]');
    const secret = createHmac('sha256', KEY_A).update(`event tokens\0${ORG}\0${ECID_A}\0${decision}`).digest('hex');
    expect(tag).toBe(createHash('sha256').update(`${secret}${content}`).digest('base64url').slice(0, 22));
  });

  test('of before is the key’s id, half an HMAC-SHA-256 and the claims: it is believed after an upgrade', () => {
    const old = oldToken(ECID_A);
    expect(seal.open(ORG, ECID_A, old)).toEqual(CLAIMS);
    expect(seal.open(ORG, ECID_B, old)).toBeNull();
    expect(seal.open('OTHER@AdobeOrg', ECID_A, old)).toBeNull();
    expect(new TokenSeal([KEY_B]).open(ORG, ECID_A, old)).toBeNull();
    expect(forgeriesOf(old).filter((text) => seal.open(ORG, ECID_A, text) !== null)).toEqual([]);
  });

  test('signs what one decision showed, and nothing that another did', () => {
    const sign = seal.signer(ORG, ECID_A, CLAIMS);
    const others = ['a', 'c'].map((experienceId) => ({ ...CLAIMS, experienceId }));
    const [first, second] = others.map((one) => sign(contentPart(one))) as [string, string];
    expect([first, second].map((one) => seal.open(ORG, ECID_A, one))).toEqual(others);
    expect(first).toBe(tokenOf(seal, ORG, ECID_A, others[0]!));
    const later = tokenOf(seal, ORG, ECID_A, { ...others[0]!, atSeconds: CLAIMS.atSeconds + 1 });
    const swapped = [
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ].flatMap((from) => {
      const pick = (tokens: readonly string[]): string =>
        from.map((which, part) => tokens[which]!.split('.')[part]!).join('.');
      return [pick([first, later]), pick([first, second])];
    });
    const mixed = swapped.filter((one) => ![first, second, later].includes(one));
    expect(mixed.length).toBeGreaterThan(3);
    expect(mixed.filter((one) => seal.open(ORG, ECID_A, one) !== null)).toEqual([]);
  });

  test('is nobody else’s: of another org, another visitor, or none', () => {
    const token = tokenOf(seal, ORG, ECID_A, CLAIMS);
    expect(seal.open('OTHER@AdobeOrg', ECID_A, token)).toBeNull();
    expect(seal.open(ORG, ECID_B, token)).toBeNull();
    expect(seal.open(ORG, null, token)).toBeNull();
    expect(seal.open(ORG, ECID_A, tokenOf(seal, ORG, null, CLAIMS))).toBeNull();
  });

  test('is not believed with any bit changed, cut short at any byte, or spelt in another way', () => {
    const token = tokenOf(seal, ORG, ECID_A, CLAIMS);
    const [decision, content, tag] = token.split('.') as [string, string, string];
    const forged = [
      ...forgeriesOf(decision).map((part) => `${part}.${content}.${tag}`),
      ...forgeriesOf(content).map((part) => `${decision}.${part}.${tag}`),
      ...forgeriesOf(tag).map((part) => `${decision}.${content}.${part}`),
      ...[`${token}.`, `.${token}`, `${token}.${tag}`, `${decision}.${content}`, `${decision}.${content}.`, '..', '.'],
      ...[decision, content, `${decision}.${content}.${tag.slice(0, 21)}é`],
    ];
    expect(forged.filter((text) => text !== token && seal.open(ORG, ECID_A, text) !== null)).toEqual([]);
  });

  test('of the key before is believed, of one that is gone it is not', () => {
    const old = tokenOf(seal, ORG, ECID_A, CLAIMS);
    const rotated = new TokenSeal([KEY_B, KEY_A]);
    expect(rotated.open(ORG, ECID_A, old)).toEqual(CLAIMS);
    expect(seal.open(ORG, ECID_A, tokenOf(rotated, ORG, ECID_A, CLAIMS))).toBeNull();
    expect(new TokenSeal([KEY_B]).open(ORG, ECID_A, old)).toBeNull();
  });

  test('is looked at up to a length', () => {
    const ofLength = (scope: number): string => tokenOf(seal, ORG, ECID_A, { ...CLAIMS, scope: 's'.repeat(scope) });
    let longest = 1;
    while (ofLength(longest + 1).length <= TOKEN_CHARACTERS_MAX) longest += 1;
    expect(seal.open(ORG, ECID_A, ofLength(longest))?.scope).toHaveLength(longest);
    expect(seal.open(ORG, ECID_A, ofLength(longest + 1))).toBeNull();
  });

  test('needs keys that it can tell apart', () => {
    expect(() => new TokenSeal([KEY_A, KEY_A])).toThrow(/openssl rand -hex 32/);
  });
});
