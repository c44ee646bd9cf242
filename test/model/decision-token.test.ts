import fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimsOf, claimsText, type TokenClaims } from '../../src/model/decision-token.ts';

const claims = fc.record<TokenClaims>({
  requestId: fc.string(),
  eventIndex: fc.nat(),
  activityId: fc.string({ unit: 'binary' }),
  experienceId: fc.string(),
  scope: fc.string({ unit: 'binary' }),
  atSeconds: fc.nat(),
  isPreview: fc.boolean(),
  isBot: fc.boolean(),
});

test('A token says what was put into it', () => {
  fc.assert(
    fc.property(claims, (one) => {
      expect(claimsOf(claimsText(one))).toEqual(one);
    }),
  );
});

test.each([
  ['no JSON', '["r",0,'],
  ['an object', '{}'],
  ['a field too few', '["r",0,"a","e","s",1]'],
  ['a field too many', '["r",0,"a","e","s",1,0,0]'],
  ['an id that is a number', '["r",0,1,"e","s",1,0]'],
  ['a scope that is null', '["r",0,"a","e",null,1,0]'],
  ['an index below 0', '["r",-1,"a","e","s",1,0]'],
  ['a time with a fraction', '["r",0,"a","e","s",1.5,0]'],
  ['a flag that nobody knows', '["r",0,"a","e","s",1,4]'],
])('No token: %s', (_what, text) => {
  expect(claimsOf(text)).toBeNull();
});
