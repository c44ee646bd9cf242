import { describe, expect, test } from 'vitest';
import { isEcid, isFpid } from '../../src/model/identity.ts';
import { FpidSeeds } from '../../src/stages/fpid.ts';

const FPID = '4ed70bee-b654-420a-a3fd-b58b6b65e991';
const key = (byte: number) => new FpidSeeds(Buffer.alloc(32, byte));

describe('the ECID of an FPID', () => {
  test('is an ECID, and always the same: this one is what an upgrade must not change', () => {
    const ecid = key(7).ecidOf('TEST@AdobeOrg', FPID);
    expect(isEcid(ecid)).toBe(true);
    expect(ecid).toBe('71608196632843207587056531889631941329');
  });

  test('is that of the same FPID in capitals', () => {
    expect(key(7).ecidOf('TEST@AdobeOrg', FPID.toUpperCase())).toBe(key(7).ecidOf('TEST@AdobeOrg', FPID));
  });

  test.each([
    ['org', key(7).ecidOf('OTHER@AdobeOrg', FPID)],
    ['key', key(8).ecidOf('TEST@AdobeOrg', FPID)],
    ['FPID', key(7).ecidOf('TEST@AdobeOrg', FPID.replace('4ed7', '4ed8'))],
  ])('is another one for another %s', (_what, ecid) => {
    expect(ecid).not.toBe(key(7).ecidOf('TEST@AdobeOrg', FPID));
  });
});

/** Rule: version-4 UUIDs. Documented. */
test.each([
  [FPID, true],
  [FPID.toUpperCase(), true],
  ['00000000-0000-4000-8000-000000000001', true],
  ['00000000-0000-4000-8000-000000000000', false],
  ['00000000-0000-0000-0000-000000000000', false],
  ['4ed70bee-b654-120a-a3fd-b58b6b65e991', false],
  ['4ed70bee-b654-420a-c3fd-b58b6b65e991', false],
  [` ${FPID}`, false],
  [`${FPID}\n`, false],
  [FPID.replaceAll('-', ''), false],
  [`{${FPID}}`, false],
  ['28880788470263023831040523038280731744', false],
  ['', false],
])('%j is an FPID: %s', (text, isOne) => {
  expect(isFpid(text)).toBe(isOne);
});
