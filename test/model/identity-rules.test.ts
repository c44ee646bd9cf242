import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { identityRules, orgIdentities } from '../../src/config/identity-rules.ts';
import { type Fault, faultOf, judgeIdentities, STANDARD_NAMESPACES } from '../../src/model/identity-rules.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { Problem } from '../../src/model/problem.ts';
import { eventOf, ORG } from '../support/exchanges.ts';
import { problemOf } from '../support/problems.ts';

const FILE = {
  namespaces: { [ORG]: { Loyalty: {}, MailHash: { sha256: true } }, 'OTHER@AdobeOrg': { Theirs: {} } },
  junkIds: ['Guest', ' test@example.com '],
};
const rulesOf = (isStrict = false, codes?: readonly string[]) =>
  identityRules(orgIdentities(FILE, null, []), ORG, codes, isStrict);

const hex = (name: string, text: string): string => createHash(name).update(text).digest('hex');
const ZERO_UUID = '00000000-0000-0000-0000-000000000000';

/** Ids that stand for nobody; the list is chosen. */
const JUNK: readonly string[] = [
  ...['', ' ', 'null', 'NULL', 'undefined', '0', 'anonymous', 'Anonymous', ' anonymous\n', ZERO_UUID],
  ...['00000000000000000000000000000000', 'guest', 'TEST@example.com'],
  ...['', 'null', 'undefined', '0', 'anonymous', ZERO_UUID, 'guest'].map((id) => hex('sha256', id)),
  ...['md5', 'sha1', 'sha512'].map((name) => hex(name, 'anonymous')),
  hex('sha256', 'null').toUpperCase(),
];
const FINE: readonly string[] = ['00', 'nullable', 'null@example.com', 'anonymous-7', '1', hex('sha256', 'somebody')];

describe('an identity', () => {
  test.each(JUNK)('with the id %j stands for nobody', (id) => {
    expect(faultOf({ namespace: 'CRMID', id, authenticatedState: 'ambiguous', primary: false }, rulesOf())).toBe(
      'junk',
    );
  });
  test.each(FINE)('with the id %j is fine', (id) => {
    expect(faultOf({ namespace: 'CRMID', id, authenticatedState: 'ambiguous', primary: false }, rulesOf())).toBeNull();
  });

  const somebody = hex('sha256', 'ada@example.com');
  test.each<[string, string, Fault | null]>([
    ['Email', 'ada@example.com', null],
    ['email', 'ada@example.com', 'namespace'], // Case-sensitive. Documented.
    ['Loyalty', 'a', null],
    ['Theirs', 'a', 'namespace'],
    ['__proto__', 'a', 'namespace'],
    ['constructor', 'a', 'namespace'],
    ['Email_LC_SHA256', somebody, null],
    ['Email_LC_SHA256', somebody.toUpperCase(), null],
    ['Email_LC_SHA256', 'ada@example.com', 'hash'],
    ['Phone_SHA256', somebody.slice(1), 'hash'],
    ['Phone_SHA256_E.164', `${somebody}0`, 'hash'],
    ['MailHash', somebody.replace(/./, 'g'), 'hash'],
    ['MailHash', hex('sha256', ''), 'junk'],
  ])('%s %j: %s', (namespace, id, fault) => {
    expect(faultOf({ namespace, id, authenticatedState: 'ambiguous', primary: false }, rulesOf())).toBe(fault);
  });

  test('of a datastream that limits itself to some namespaces', () => {
    const rules = rulesOf(false, ['Email']);
    expect([...rules.namespaces.keys()].sort()).toEqual(['CORE', 'ECID', 'Email', 'FPID']);
  });

  test('every standard namespace is known in every org', () => {
    const rules = identityRules(orgIdentities(undefined, null, []), 'NEW@AdobeOrg', undefined, false);
    expect([...rules.namespaces.keys()]).toEqual(Object.keys(STANDARD_NAMESPACES));
  });
});

describe('the identities of events', () => {
  const judged = (maps: readonly JsonObject[], isStrict = false): Problem[] => {
    const events = maps.map((identityMap, index) => eventOf({ identityMap }, { index }));
    const warnings: Problem[] = [];
    judgeIdentities(events, '/v1/interact', rulesOf(isStrict), warnings);
    return warnings;
  };
  const good: JsonObject = { Email: [{ id: 'ada@example.com', primary: true }], Loyalty: [{ id: '7' }] };

  test('that are in order bring no word', () => {
    expect(judged([good, {}])).toEqual([]);
    expect(judged([good, {}], true)).toEqual([]);
  });

  test.each<[string, JsonObject, string, string]>([
    ['unknown namespace', { Foo: [{ id: 'a' }] }, 'EXEG-0304-400', "'Foo' in 'events[1].xdm.identityMap'"],
    [
      'two primaries',
      { Email: [{ id: 'a', primary: true }], Loyalty: [{ id: 'b', primary: 'true' }] },
      'EXEG-0304-400',
      'marks 2 identities as primary',
    ],
    ['junk', { Email: [{ id: 'null' }] }, 'EXEG-0305-400', "'null' of namespace 'Email'"],
    ['no hash', { Email_LC_SHA256: [{ id: 'ada@example.com' }] }, 'EXEG-0308-400', '64 hexadecimal digits'],
  ])('%s: a warning, or refused where the datastream says so', (_what, map, code, text) => {
    const [warning, ...rest] = judged([good, map]);
    expect(rest).toEqual([]);
    expect(warning).toMatchObject({ spec: { code: 'EXEG-0204-200' }, report: { eventIndex: 1 } });
    expect(warning!.detail).toContain(text);
    const { spec, detail, report } = problemOf(() => judged([good, map], true));
    expect(spec.code).toBe(code);
    expect(detail).toContain(text);
    expect(detail).toMatch(/^Not taken: /);
    expect(detail).toContain('(event #1)');
    expect(report).toEqual({ eventIndex: 1 });
  });

  test('with many mistakes bring one warning an event, which names three of them', () => {
    const map = Object.fromEntries(['A', 'B', 'C', 'D'].map((namespace) => [namespace, [{ id: 'x' }]]));
    const [warning, ...rest] = judged([map]);
    expect(rest).toEqual([]);
    expect(warning!.detail).toMatch(
      /'A'.*'B'.*'C' in '[^']+' is no namespace of this datastream \([^)]*\); and more\.$/,
    );
    expect(warning!.report).toEqual({});
  });
});
