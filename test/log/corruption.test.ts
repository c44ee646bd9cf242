import { beforeAll, expect, test } from 'vitest';
import { Random } from '../sim/random.ts';
import { judge, makeLog, type WholeLog } from './damaged-log.ts';
import { BYTE_KINDS, byteDamage, bytesOf, frameDamage, MARKS } from './damages.ts';

/** A part of the cases of corruption.long.test.ts, always the same. */
const BYTE_CASES = 18_500;
const FRAME_CASES = 1500;
/** A prime: neighbouring bytes are taken at different times, with different damage. */
const STRIDE = 40_507;
const SEED = 1;

let whole: WholeLog;
beforeAll(async () => {
  whole = await makeLog();
});

test('the log that is damaged is what it should be', () => {
  expect(whole.files.filter(([path]) => path.endsWith('.segment')).length).toBe(3);
  expect(bytesOf(whole, 'newest').length).toBeGreaterThan(64 * 1024);
  expect(whole.frames.length).toBe(whole.records.length);
  // The last batch has several records, and the old mark stands in the last segment, before it.
  expect(whole.lastBatch).toBeLessThan(whole.records.length - 1);
  expect(whole.marks.old.offset).toBeLessThan(whole.lastBatch);
  expect(whole.frames[whole.marks.old.offset]!.path).toBe(whole.frames.at(-1)!.path);
});

test.each(MARKS)('nothing is said of a log that is whole, with the %s mark', async (mark) => {
  await judge(whole, {
    what: 'nothing',
    mark,
    apply: () => undefined,
    touched: new Set(),
    doubtedFrom: Number.POSITIVE_INFINITY,
  });
});

test(`${BYTE_CASES} bytes changed or lost: none is served, none hides what is whole, each is reported`, async () => {
  const bytes = MARKS.map((mark) => ({ mark, places: bytesOf(whole, mark) }));
  let cases = 0;
  for (let i = 0; cases < BYTE_CASES; i++) {
    const { mark, places } = bytes[i % bytes.length]!;
    const { path, at } = places[(i * STRIDE) % places.length]!;
    const kind = BYTE_KINDS[Math.floor(i / bytes.length) % BYTE_KINDS.length]!;
    const damage = byteDamage(whole, path, at, kind, mark);
    if (damage === null) continue;
    await judge(whole, damage);
    cases += 1;
  }
});

test(`${FRAME_CASES} frames in the wrong place: none is served out of order or twice, none hides what is in place`, async () => {
  const random = new Random(SEED);
  for (let i = 0; i < FRAME_CASES; i++) await judge(whole, frameDamage(whole, random, MARKS[i % MARKS.length]!));
});
