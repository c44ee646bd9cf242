import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Deadline, Deadlines, EXPIRED_AT_ONCE } from '../../src/gateway/deadlines.ts';

const MS = 1_000;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Begins one that is due in a second; `expired` gets its name when it is. */
function begin(deadlines: Deadlines, name: number, expired: number[]): Deadline {
  return deadlines.begin({ expire: () => expired.push(name) }, Date.now() + MS);
}

test('expire at their time, not before, and once', () => {
  const deadlines = new Deadlines(Date.now);
  const expired: number[] = [];
  begin(deadlines, 1, expired);
  vi.advanceTimersByTime(400);
  begin(deadlines, 2, expired);
  vi.advanceTimersByTime(599);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(expired).toEqual([1]);
  vi.advanceTimersByTime(399);
  expect(expired).toEqual([1]);
  vi.advanceTimersByTime(1);
  expect(expired).toEqual([1, 2]);
  vi.advanceTimersByTime(10 * MS);
  expect(expired).toEqual([1, 2]);
});

test('with many under way there is one timer, and none when all are over', () => {
  const deadlines = new Deadlines(Date.now);
  const expired: number[] = [];
  const begun = Array.from({ length: 100 }, (_, name) => begin(deadlines, name, expired));
  expect(vi.getTimerCount()).toBe(1);
  for (const one of begun) deadlines.end(one);
  vi.advanceTimersByTime(MS);
  expect(vi.getTimerCount()).toBe(0);
  begin(deadlines, 100, expired);
  vi.advanceTimersByTime(MS);
  expect(expired).toEqual([100]);
});

test(`those that are due together expire ${EXPIRED_AT_ONCE} in one go, and what came meanwhile is served in between`, () => {
  const deadlines = new Deadlines(Date.now);
  const expired: number[] = [];
  for (let name = 0; name < 2 * EXPIRED_AT_ONCE + 1; name++) begin(deadlines, name, expired);
  vi.advanceTimersByTime(MS);
  expect(expired).toHaveLength(EXPIRED_AT_ONCE);
  vi.advanceTimersByTime(1);
  expect(expired).toHaveLength(2 * EXPIRED_AT_ONCE);
  vi.advanceTimersByTime(1);
  expect(expired).toEqual(Array.from({ length: 2 * EXPIRED_AT_ONCE + 1 }, (_, name) => name));
  expect(vi.getTimerCount()).toBe(0);
});

test('a list whose work can wait says itself how many expire in one go', () => {
  const deadlines = new Deadlines(Date.now, 1);
  const expired: number[] = [];
  for (let name = 0; name < 3; name++) begin(deadlines, name, expired);
  vi.advanceTimersByTime(MS);
  expect(expired).toEqual([0]);
  vi.advanceTimersByTime(1);
  expect(expired).toEqual([0, 1]);
  vi.advanceTimersByTime(1);
  expect(expired).toEqual([0, 1, 2]);
  expect(vi.getTimerCount()).toBe(0);
});

test('one that begins or ends another while it expires', () => {
  const deadlines = new Deadlines(Date.now);
  const expired: number[] = [];
  const first = {
    expire() {
      expired.push(1);
      deadlines.end(second);
      begin(deadlines, 3, expired);
    },
  };
  deadlines.begin(first, Date.now() + MS);
  const second = begin(deadlines, 2, expired);
  vi.advanceTimersByTime(MS);
  expect(expired).toEqual([1]);
  vi.advanceTimersByTime(MS);
  expect(expired).toEqual([1, 3]);
});

test('any order of beginnings, ends and waiting leaves those that are not over, each at its own time', () => {
  const step = fc.oneof(
    fc.constant({ do: 'begin' } as const),
    fc.record({ do: fc.constant('end' as const), which: fc.nat(20) }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(700) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const deadlines = new Deadlines(Date.now);
      const expired: number[] = [];
      const model = new Map<number, { readonly atMs: number; readonly deadline: Deadline }>();
      const wanted: number[] = [];
      let name = 0;
      for (const one of [...steps, { do: 'wait', ms: 2 * MS } as const]) {
        if (one.do === 'begin') {
          if (model.size === EXPIRED_AT_ONCE) continue; // With more, some would be late.
          name += 1;
          model.set(name, { atMs: Date.now() + MS, deadline: begin(deadlines, name, expired) });
        } else if (one.do === 'end') {
          const [key, entry] = [...model][one.which % Math.max(1, model.size)] ?? [];
          if (entry === undefined) continue;
          deadlines.end(entry.deadline);
          model.delete(key!);
        } else {
          vi.advanceTimersByTime(one.ms);
          for (const [key, { atMs }] of model) {
            if (atMs > Date.now()) continue;
            wanted.push(key);
            model.delete(key);
          }
        }
        expect(expired).toEqual(wanted);
      }
    }),
  );
});
