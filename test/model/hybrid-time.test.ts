import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HybridClock } from '../../src/model/hybrid-time.ts';

/** Some moment of 2026 and its text. */
const NOW = 1_795_000_000_000;
const text = (ms: number, counter: number): string =>
  `${ms.toString(16).padStart(12, '0')}-${counter.toString(16).padStart(4, '0')}`;
const FORM = /^[0-9a-f]{12}-[0-9a-f]{4}$/;

describe('the next time', () => {
  test.each([
    ['the first', [], NOW, null, text(NOW, 0)],
    ['the clock moved on', [NOW], NOW + 1, null, text(NOW + 1, 0)],
    ['the same millisecond', [NOW], NOW, null, text(NOW, 1)],
    ['the clock was set back', [NOW], NOW - 5000, null, text(NOW, 1)],
    ['seen long ago', [], NOW, text(NOW - 1, 0xffff), text(NOW, 0)],
    ['seen now', [], NOW, text(NOW, 0), text(NOW, 1)],
    ['seen now, further on', [], NOW, text(NOW, 41), text(NOW, 42)],
    ['seen in the future', [], NOW, text(NOW + 60_000, 3), text(NOW + 60_000, 4)],
    ['seen older than the own last', [NOW], NOW, text(NOW, 0), text(NOW, 1)],
    ['seen at the end of a millisecond', [], NOW, text(NOW, 0xffff), text(NOW + 1, 0)],
    ['at the start of time', [], 0, null, text(0, 1)],
  ] as const)('%s', (_name, before, nowMs, seen, expected) => {
    const clock = new HybridClock();
    for (const ms of before) clock.after(ms, null);
    expect(clock.after(nowMs, seen)).toBe(expected);
  });

  test('after the last of a millisecond is the first of the next, whatever the clock says', () => {
    const clock = new HybridClock();
    for (let i = 0; i <= 0xffff; i++) clock.after(NOW, null);
    expect(clock.after(NOW, null)).toBe(text(NOW + 1, 0));
    expect(clock.after(NOW + 1, null)).toBe(text(NOW + 1, 1));
  });

  test('is newer as text than all before and than what was seen, for any clock, in any order', () => {
    const moments = fc.oneof(fc.integer({ min: NOW - 3, max: NOW + 3 }), fc.integer({ min: 0, max: 2 ** 47 }));
    const counters = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0xfffd, max: 0xffff }));
    const seen = fc.option(fc.tuple(moments, counters).map(([ms, counter]) => text(ms, counter)));
    fc.assert(
      fc.property(fc.array(fc.tuple(moments, seen), { maxLength: 40 }), (calls) => {
        const clock = new HybridClock();
        let last = '';
        for (const [nowMs, other] of calls) {
          const next = clock.after(nowMs, other);
          expect(next).toMatch(FORM);
          expect(next > last).toBe(true);
          expect(other === null || next > other).toBe(true);
          expect(Number.parseInt(next.slice(0, 12), 16)).toBeGreaterThanOrEqual(nowMs);
          last = next;
        }
      }),
    );
  });

  test('is that of the clock where nothing else was newer', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 47 })), (moments) => {
        const clock = new HybridClock();
        for (const ms of moments.sort((a, b) => a - b)) expect(clock.after(ms, null)).toBe(text(ms, 0));
      }),
    );
  });
});

test('two processes that see each other agree on what came later', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: -5000, max: 5000 })), { maxLength: 30 }), (turns) => {
      const clocks = [new HybridClock(), new HybridClock()];
      let last: string | null = null;
      for (const [first, skewMs] of turns) {
        const next: string = clocks[first ? 0 : 1]!.after(NOW + skewMs, last);
        expect(last === null || next > last).toBe(true);
        last = next;
      }
    }),
  );
});
