import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MadeVerdict } from '../../src/decisions/verdicts.ts';
import { KEPT_CHARACTERS_MAX, RUN_CHARACTERS, VerdictTexts } from '../../src/model/verdict-texts.ts';

const shared = Array.from({ length: 6 }, (_, n) => refusal(`refused-${n}`, true));
const own = Array.from({ length: 4 }, (_, n) => new MadeVerdict(`shown-${n}`, 'shown', 'a', n, '11', null));

function refusal(id: string, isShared: boolean): MadeVerdict {
  return new MadeVerdict(id, 'audience', null, null, '0-', null, isShared);
}

function texts(verdicts: readonly MadeVerdict[]): string {
  return verdicts.map(({ json }) => json).join(',');
}

test('the text of verdicts is theirs with commas, whatever was asked for before', () => {
  const lists = fc.array(fc.array(fc.constantFrom(...shared, ...own), { maxLength: 12 }), { maxLength: 20 });
  fc.assert(
    fc.property(lists, (all) => {
      const made = new VerdictTexts();
      for (const verdicts of all) expect(made.join(verdicts)).toBe(texts(verdicts));
    }),
  );
});

test('what is not shared is not kept', () => {
  const made = new VerdictTexts();
  made.join([...own, refusal('another', false)]);
  expect(made.kept).toBe(0);
  made.join([shared[0]!, shared[1]!, own[0]!, shared[0]!, shared[2]!]);
  const runs = [texts([shared[0]!, shared[1]!]), texts([shared[0]!, shared[2]!])];
  expect(made.kept).toBe(3 * RUN_CHARACTERS + runs[0]!.length + runs[1]!.length);
});

test('so much is kept, and the one behind it begins anew', () => {
  const long = refusal('x'.repeat(KEPT_CHARACTERS_MAX - RUN_CHARACTERS - texts([refusal('', true)]).length - 1), true);
  const made = new VerdictTexts();
  expect(made.join([long])).toBe(texts([long]));
  expect(made.kept).toBe(KEPT_CHARACTERS_MAX - 1);
  expect(made.join([long, shared[0]!])).toBe(texts([long, shared[0]!]));
  expect(made.kept).toBeGreaterThan(KEPT_CHARACTERS_MAX);
  expect(made.join([shared[1]!])).toBe(texts([shared[1]!]));
  expect(made.kept).toBe(RUN_CHARACTERS + texts([shared[1]!]).length);
});
