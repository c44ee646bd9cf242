import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Position } from '../../src/model/record.ts';
import { DUPLICATE_WINDOW_MS, DUPLICATES_MAX, DuplicateWindow } from '../../src/stages/duplicates.ts';
import { ECID_A, ECID_B } from '../support/exchanges.ts';

const at = (offset: number): Position => ({ partition: 0, offset });
const never = () => new Promise<Position>(() => {});
const NOW_MS = 1_000_000_000;

describe('the key of an event', () => {
  const window = new DuplicateWindow();
  window.add('shop', 'key', 'hash', ECID_A, NOW_MS, never());

  test('is datastream, dedup key and payload hash together', () => {
    expect(window.find('shop', 'key', 'hash', NOW_MS)).toMatchObject({ ecid: ECID_A });
    expect(window.find('blog', 'key', 'hash', NOW_MS)).toBeNull();
    expect(window.find('shop', 'other', 'hash', NOW_MS)).toBeNull();
    expect(window.find('shop', 'key', 'other', NOW_MS)).toBeNull();
  });

  test('knows where one part ends and the next begins', () => {
    expect(window.find('shopk', 'ey', 'hash', NOW_MS)).toBeNull();
    expect(window.find('shop', 'keyh', 'ash', NOW_MS)).toBeNull();
    expect(window.find('sho', 'pkey', 'hash', NOW_MS)).toBeNull();
  });
});

describe('bounds', () => {
  test('ten minutes, to the millisecond', () => {
    expect(DUPLICATE_WINDOW_MS).toBe(600_000);
    const window = new DuplicateWindow();
    window.add('shop', 'key', 'hash', null, NOW_MS, never());
    expect(window.find('shop', 'key', 'hash', NOW_MS + DUPLICATE_WINDOW_MS)).not.toBeNull();
    expect(window.find('shop', 'key', 'hash', NOW_MS + DUPLICATE_WINDOW_MS + 1)).toBeNull();
  });

  test('a clock that was set back finds what is newer than it', () => {
    const window = new DuplicateWindow();
    window.add('shop', 'key', 'hash', null, NOW_MS, never());
    expect(window.find('shop', 'key', 'hash', NOW_MS - 60_000)).not.toBeNull();
  });

  test('so many entries, and the oldest leaves first', () => {
    const window = new DuplicateWindow();
    for (let i = 0; i < DUPLICATES_MAX; i++) window.add('shop', `key-${i}`, 'hash', null, NOW_MS, never());
    expect(window.size).toBe(DUPLICATES_MAX);
    expect(window.find('shop', 'key-0', 'hash', NOW_MS)).not.toBeNull();
    window.add('shop', 'one more', 'hash', null, NOW_MS, never());
    expect(window.size).toBe(DUPLICATES_MAX);
    expect(window.find('shop', 'key-0', 'hash', NOW_MS)).toBeNull();
    expect(window.find('shop', 'key-1', 'hash', NOW_MS)).not.toBeNull();
    expect(window.find('shop', 'one more', 'hash', NOW_MS)).not.toBeNull();
  });
});

test('what left nothing in the log is known at once, without a position; its slot’s next entry is as any other', () => {
  const window = new DuplicateWindow(undefined, 1);
  window.add('shop', 'key', 'hash', ECID_A, NOW_MS, null);
  expect(window.find('shop', 'key', 'hash', NOW_MS)).toEqual({ ecid: ECID_A, position: null, pending: null });
  const pending = never();
  window.stored(window.add('shop', 'other', 'hash', ECID_B, NOW_MS, pending), pending, at(7));
  expect(window.find('shop', 'other', 'hash', NOW_MS)).toEqual({ ecid: ECID_B, position: at(7), pending: null });
});

describe('a first copy on its way', () => {
  test('is known by its promise until it is durable, then by its position', () => {
    const window = new DuplicateWindow();
    const pending = never();
    const slot = window.add('shop', 'key', 'hash', null, NOW_MS, pending);
    expect(window.find('shop', 'key', 'hash', NOW_MS)).toEqual({ ecid: null, position: null, pending });
    window.stored(slot, pending, { partition: 3, offset: 2 ** 40 });
    expect(window.find('shop', 'key', 'hash', NOW_MS)).toEqual({
      ecid: null,
      position: { partition: 3, offset: 2 ** 40 },
      pending: null,
    });
  });

  test('that failed is forgotten; one that took its place since is not', () => {
    const window = new DuplicateWindow(DUPLICATE_WINDOW_MS, 1);
    const first = never();
    const slot = window.add('shop', 'a', 'hash', null, NOW_MS, first);
    const second = never();
    window.add('shop', 'b', 'hash', null, NOW_MS, second);
    window.forget(slot, first);
    window.stored(slot, first, at(9));
    expect(window.find('shop', 'b', 'hash', NOW_MS)).toEqual({ ecid: null, position: null, pending: second });
  });
});

describe('visitors who are erased', () => {
  const durable = (window: DuplicateWindow, key: string, ecid: string | null, offset: number, partition = 0): void => {
    const pending = never();
    window.stored(window.add('shop', key, 'hash', ecid, NOW_MS, pending), pending, { partition, offset });
  };

  test('are forgotten: what stands before the erasure, or nowhere; no other visitor, and nothing that comes behind it', () => {
    const window = new DuplicateWindow();
    const sameEnd = `0${ECID_A.slice(1)}`;
    durable(window, 'before', ECID_A, 9);
    window.add('shop', 'nowhere', 'hash', ECID_A, NOW_MS, null);
    durable(window, 'at it', ECID_A, 10);
    durable(window, 'behind', ECID_A, 11);
    window.add('shop', 'on its way', 'hash', ECID_A, NOW_MS, never());
    durable(window, 'another', ECID_B, 9);
    durable(window, 'the same end', sameEnd, 9);
    durable(window, 'nobody', null, 9);
    durable(window, 'another log', ECID_A, 9, 1);
    window.forgetVisitors([ECID_A], at(10));
    const found = (key: string): boolean => window.find('shop', key, 'hash', NOW_MS) !== null;
    expect(['before', 'nowhere'].filter(found)).toEqual([]);
    const kept = ['at it', 'behind', 'on its way', 'another', 'the same end', 'nobody', 'another log'];
    expect(kept.filter(found)).toEqual(kept);
    expect(window.size).toBe(kept.length);
    window.forgetVisitors([], at(100));
    expect(window.size).toBe(kept.length);
    window.forgetVisitors([ECID_A, ECID_B], at(100));
    expect(window.size).toBe(4);
  });

  test('a window as full as can be forgets all of them', () => {
    const window = new DuplicateWindow();
    for (let i = 0; i < DUPLICATES_MAX; i++) durable(window, `${i}`, i % 2 === 0 ? ECID_A : ECID_B, i);
    window.forgetVisitors([ECID_A], at(DUPLICATES_MAX));
    expect(window.size).toBe(DUPLICATES_MAX / 2);
    expect(window.find('shop', '0', 'hash', NOW_MS)).toBeNull();
    for (let i = 1; i < 2_000; i += 2) expect(window.find('shop', `${i}`, 'hash', NOW_MS)).not.toBeNull();
  });
});

type Action =
  | { readonly do: 'add'; readonly key: string; readonly ecid: string | null; readonly afterMs: number }
  | { readonly do: 'stored' | 'forget'; readonly pick: number };

interface Entry {
  readonly key: string;
  readonly ecid: string | null;
  readonly atMs: number;
  /** How many were added before it: it leaves when the ring has come round. */
  readonly turn: number;
  readonly slot: number;
  readonly pending: Promise<Position>;
  position: Position | null;
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const WINDOW_MS = 10;
const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('add' as const),
        key: fc.constantFrom(...KEYS),
        ecid: fc.constantFrom(null, ECID_A, ECID_B),
        afterMs: fc.integer({ min: 0, max: WINDOW_MS + 1 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom('stored' as const, 'forget' as const), pick: fc.nat(50) }),
    },
  ),
  { maxLength: 60 },
);

test('against a model: what is found is what was added last, in time, among the last so many, and not forgotten', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), actions, (capacity, list) => {
      const window = new DuplicateWindow(WINDOW_MS, capacity);
      const live = new Map<string, Entry>();
      const added: Entry[] = [];
      let nowMs = NOW_MS;
      for (const action of list) {
        if (action.do === 'add') {
          nowMs += action.afterMs;
          const pending = never();
          const slot = window.add('shop', action.key, 'hash', action.ecid, nowMs, pending);
          for (const entry of live.values()) if (added.length - entry.turn >= capacity) live.delete(entry.key);
          const entry: Entry = { ...action, atMs: nowMs, turn: added.length, slot, pending, position: null };
          live.set(action.key, entry);
          added.push(entry);
        } else if (added.length > 0) {
          const entry = added[action.pick % added.length]!;
          const isLive = live.get(entry.key) === entry;
          if (action.do === 'stored') {
            window.stored(entry.slot, entry.pending, at(entry.turn));
            if (isLive && entry.position === null) entry.position = at(entry.turn);
          } else {
            window.forget(entry.slot, entry.pending);
            if (isLive && entry.position === null) live.delete(entry.key);
          }
        }
        expect(window.size).toBe(live.size);
        for (const key of KEYS) {
          const entry = live.get(key);
          const found = window.find('shop', key, 'hash', nowMs);
          if (entry === undefined || entry.atMs < nowMs - WINDOW_MS) expect(found).toBeNull();
          else {
            const { ecid, position, pending } = entry;
            expect(found).toEqual({ ecid, position, pending: position === null ? pending : null });
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});
