import { describe, expect, test } from 'vitest';
import { missingConsent, type Requirement } from '../../src/model/consent-gate.ts';
import type { Consent } from '../../src/model/exchange.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { vendorBits } from '../../src/model/tcf.ts';

const consent = (value: JsonObject | null, fields: Partial<Consent> = {}): Consent => ({
  recordId: null,
  collect: 'in',
  gpc: false,
  default: 'in',
  value,
  ...fields,
});
const tcf = (purposes: number[], vendors: number[] = [], gdprApplies = true): JsonObject => ({
  tcf: {
    version: '2.0',
    hash: '',
    gdprApplies,
    gdprContainsPersonalData: false,
    purposes,
    vendors: vendorBits(vendors),
    lastUpdatedMs: 0,
  },
});
const strict = { default: 'pending' } as const;
const SHARE: Requirement = { adobe: ['share'] };
const EMAIL: Requirement = { adobe: ['marketing.email'] };
const BOTH: Requirement = { tcf: [1, 10], adobe: ['share'] };

describe('collection comes first: without it there is no use', () => {
  test.each(['out', 'pending'] as const)('%s', (collect) => {
    expect(missingConsent({}, consent({ share: { val: 'y' } }, { collect }))).toBe('collect');
  });
  test('in', () => {
    expect(missingConsent({}, consent(null))).toBeNull();
  });
});

/** Rule with its source; what the use needs; consent; what is missing. */
test.each<[string, Requirement, Consent, string | null]>([
  ['documented: share n', SHARE, consent({ share: { val: 'n' } }), 'adobe:share'],
  ['documented: share y', SHARE, consent({ share: { val: 'y' } }, strict), null],
  ['documented: share p', SHARE, consent({ share: { val: 'p' } }), 'adobe:share'],
  ['documented: adID n', { adobe: ['adID'] }, consent({ adID: { val: 'n', idType: 'IDFA' } }), 'adobe:adID'],
  [
    'documented: personalize.content n',
    { adobe: ['personalize.content'] },
    consent({ personalize: { content: { val: 'n' } } }),
    'adobe:personalize.content',
  ],
  ['documented: a legal basis is a yes', SHARE, consent({ share: { val: 'li' } }), null],
  [
    'documented: a channel by itself',
    EMAIL,
    consent({ marketing: { email: { val: 'n' }, any: { val: 'y' } } }),
    'adobe:marketing.email',
  ],
  ['documented: every channel', EMAIL, consent({ marketing: { any: { val: 'n' } } }), 'adobe:marketing.email'],
  [
    'documented: a channel before every channel',
    EMAIL,
    consent({ marketing: { email: { val: 'y' }, any: { val: 'n' } } }),
    null,
  ],
  ['chosen: what was not chosen follows the default', SHARE, consent({ collect: { val: 'y' } }), null],
  ['chosen: and so where it is pending', SHARE, consent({ collect: { val: 'y' } }, strict), 'adobe:share'],
  [
    'chosen: a general yes is one to everything',
    SHARE,
    consent({ version: '1.0', collect: { val: 'y' } }, strict),
    null,
  ],
  ['chosen: GPC is a no to sharing', SHARE, consent(null, { gpc: true }), 'adobe:share'],
  ['chosen: unless sharing was chosen', SHARE, consent({ share: { val: 'y' } }, { gpc: true }), null],
  [
    'chosen: GPC outdoes a general yes',
    SHARE,
    consent({ version: '1.0', collect: { val: 'y' } }, { gpc: true }),
    'adobe:share',
  ],
  ['chosen: GPC is about sharing alone', { adobe: ['adID'] }, consent(null, { gpc: true }), null],
  ['documented: TCF purposes', { tcf: [1, 10] }, consent(tcf([1, 2, 10])), null],
  ['documented: the first that is missing', { tcf: [1, 4, 10] }, consent(tcf([1])), 'tcf:4'],
  ['documented: vendors', { tcf: [1], vendors: [755] }, consent(tcf([1], [756])), 'tcf:vendor:755'],
  ['documented: vendors consented to', { tcf: [1], vendors: [755] }, consent(tcf([1], [755])), null],
  ['documented: the GDPR does not apply', { tcf: [1], vendors: [755] }, consent(tcf([], [], false)), null],
  ['chosen: TCF was not chosen, default in', { tcf: [1] }, consent({ collect: { val: 'y' } }), null],
  ['chosen: TCF was not chosen, default pending', { tcf: [1] }, consent({ collect: { val: 'y' } }, strict), 'tcf:1'],
  ['chosen: and its vendors', { vendors: [7] }, consent(null, strict), 'tcf:vendor:7'],
  [
    'chosen: a general yes is one to purposes and vendors too',
    { adobe: ['personalize.content'], tcf: [1, 10], vendors: [7] },
    consent({ version: '1.0', collect: { val: 'y' } }, strict),
    null,
  ],
  [
    'chosen: but not where TCF says no',
    { tcf: [1, 10] },
    consent({ version: '1.0', collect: { val: 'y' }, ...tcf([1]) }, strict),
    'tcf:10',
  ],
  ['both standards have to agree: Adobe', BOTH, consent({ ...tcf([1, 10]), share: { val: 'n' } }), 'adobe:share'],
  ['both standards have to agree: TCF', BOTH, consent({ ...tcf([1]), share: { val: 'y' } }), 'tcf:10'],
  ['both standards agree', BOTH, consent({ ...tcf([1, 10]), share: { val: 'y' } }), null],
  [
    'GDPR that does not apply is no yes of Adobe',
    BOTH,
    consent({ ...tcf([], [], false), share: { val: 'n' } }),
    'adobe:share',
  ],
])('%s', (_rule, requires, held, missing) => {
  expect(missingConsent(requires, held)).toBe(missing);
});
