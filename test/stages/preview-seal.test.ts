import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PREVIEWS_MAX, type Preview, PreviewSeal, previewTokens } from '../../src/stages/preview-seal.ts';
import { TokenSeal } from '../../src/stages/token-seal.ts';
import { tokenOf } from '../support/event-tokens.ts';
import { ORG } from '../support/exchanges.ts';

const KEY_A = Buffer.alloc(32, 1);
const KEY_B = Buffer.alloc(32, 2);
const seal = new PreviewSeal([KEY_A]);
const PREVIEW: Preview = { activityId: 'hero', experienceId: 'b', expiresAtSeconds: 1_795_426_200 };

describe('a preview', () => {
  test('says what was signed', () => {
    const previews = fc.record({
      activityId: fc.string({ unit: 'grapheme' }),
      experienceId: fc.string({ unit: 'grapheme' }),
      expiresAtSeconds: fc.nat(),
    });
    fc.assert(
      fc.property(previews, (preview) => {
        expect(seal.open(ORG, seal.sign(ORG, preview))).toEqual(preview);
      }),
    );
  });

  test('is not another org’s', () => {
    expect(seal.open('OTHER@AdobeOrg', seal.sign(ORG, PREVIEW))).toBeNull();
  });

  test('is no event token, and no event token is one: they have a key in common', () => {
    const tokens = new TokenSeal([KEY_A]);
    const claims = { requestId: 'r', eventIndex: 0, activityId: 'hero', experienceId: 'b', scope: 's', atSeconds: 1 };
    const token = tokenOf(tokens, ORG, null, { ...claims, isPreview: false, isBot: false });
    expect(seal.open(ORG, token)).toBeNull();
    expect(tokens.open(ORG, null, seal.sign(ORG, PREVIEW))).toBeNull();
  });

  test('is not believed with any bit changed, cut short at any byte, or spelt in another way', () => {
    const token = seal.sign(ORG, PREVIEW);
    const bytes = Buffer.from(token, 'base64url');
    const forged: string[] = [`${token}=`, `${token}A`, ` ${token}`, '', 'A', '{}', 'null'];
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      forged.push(changed.toString('base64url'));
    }
    for (let end = 0; end < bytes.length; end++) forged.push(bytes.subarray(0, end).toString('base64url'));
    expect(forged.filter((text) => seal.open(ORG, text) !== null)).toEqual([]);
  });

  test('of the key before is believed, of one that is gone it is not', () => {
    const old = seal.sign(ORG, PREVIEW);
    const rotated = new PreviewSeal([KEY_B, KEY_A]);
    expect(rotated.open(ORG, old)).toEqual(PREVIEW);
    expect(seal.open(ORG, rotated.sign(ORG, PREVIEW))).toBeNull();
    expect(new PreviewSeal([KEY_B]).open(ORG, old)).toBeNull();
  });
});

describe('previews of a cookie or parameter', () => {
  const json = JSON.stringify({ token: 'a,b', listedActivitiesOnly: true });
  test.each<[string, readonly string[]]>([
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    [',a,,b,', ['a', 'b']],
    ['', []],
    [json, ['a', 'b']],
    [encodeURIComponent(json), ['a', 'b']],
    ['{"token":3}', []],
    ['{"token"', []],
    ['{}', []],
    ['%7B%', []],
  ])('%s', (value, expected) => {
    expect(previewTokens(value)).toEqual(expected);
  });

  test('are looked at up to a number', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => `t${i}`);
    expect(previewTokens(many(PREVIEWS_MAX).join(','))).toEqual(many(PREVIEWS_MAX));
    expect(previewTokens(many(PREVIEWS_MAX + 1).join(','))).toEqual(many(PREVIEWS_MAX));
  });
});
