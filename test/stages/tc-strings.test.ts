import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { hasVendor, type Tcf } from '../../src/model/tcf.ts';
import { TcStrings, tcHash } from '../../src/stages/tc-strings.ts';
import { TC_IN, tcString, UPDATED_MS } from '../support/tc-strings.ts';

const strings = new TcStrings();
beforeAll(() => strings.load());
const read = (text: string) =>
  strings.read({ path: 'p', version: '2.0', tcString: text, gdprApplies: true, gdprContainsPersonalData: false });

test('a string is read, whatever consent tool made it (documented: also one that is not registered)', () => {
  for (const cmpId of [0, 10, 4095]) {
    expect(read(tcString({ purposes: [1, 10], vendors: [1, 2, 5], cmpId }))).toMatchObject({
      version: '2.0',
      purposes: [1, 10],
      vendors: 'c8',
      lastUpdatedMs: UPDATED_MS,
    });
  }
});

test('the hash is of the string as it came', () => {
  expect(read(`${TC_IN}.IAAA`)).toMatchObject({ hash: tcHash(`${TC_IN}.IAAA`), purposes: [1, 10] });
});

test('what goes in comes out, as bits and as ranges', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 1_500 }), { maxLength: 40 });
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 24 })), ids, fc.boolean(), (purposes, vendors, asRanges) => {
      const list = asRanges ? { vendorRanges: vendors.map((id) => [id, id] as const) } : { vendors };
      const choice = read(tcString({ purposes, ...list })) as Tcf;
      expect(choice.purposes).toEqual(purposes.toSorted((a, b) => a - b));
      for (let id = 1; id <= 1_500; id++) expect(hasVendor(choice, id)).toBe(vendors.includes(id));
    }),
    { numRuns: 60 },
  );
});

describe('hostile strings', () => {
  test('any text is read or refused, and nothing is thrown', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';
    const texts = fc.array(fc.constantFrom(...alphabet), { maxLength: 400 }).map((letters) => `C${letters.join('')}`);
    fc.assert(
      fc.property(texts, (text) => {
        const result = read(text);
        expect('why' in result ? typeof result.why : typeof result.hash).toBe('string');
      }),
      { numRuns: 500 },
    );
  });

  test('one changed character of a good string is no reason to throw', () => {
    for (let at = 0; at < TC_IN.length; at++)
      expect(() => read(`${TC_IN.slice(0, at)}_${TC_IN.slice(at + 1)}`)).not.toThrow();
  });
});

test('a decoder that could not be loaded is tried again', async () => {
  let tries = 0;
  const flaky = new TcStrings(async () => {
    if (tries++ === 0) throw new Error('EMFILE');
    return await import('@iabtcf/core');
  });
  await expect(flaky.load()).rejects.toThrow('EMFILE');
  expect(flaky.isLoaded).toBe(false);
  await flaky.load();
  expect(flaky.isLoaded).toBe(true);
});
