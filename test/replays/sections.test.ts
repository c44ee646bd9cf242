import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { erasureChange } from '../../src/model/erasure.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { applyChange, type Change, type PersonState } from '../../src/model/person.ts';
import { LOST, REPLACED_KEPT_MS, Sections, TooManyPersons } from '../../src/replays/sections.ts';

const MINUTE_MS = 60_000;
const KINDS = ['profile', 'decision', 'consent'] as const;
const digest = (key: string): string => `digest of ${key}`;

const records = fc.array(
  fc.record({
    afterMs: fc.constantFrom(0, 1, MINUTE_MS, 4 * MINUTE_MS, 11 * MINUTE_MS),
    /** Who is erased before the changes, mostly nobody. */
    erased: fc.constantFrom(null, null, null, null, null, null, null, 'a', 'b'),
    changes: fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b'),
        kind: fc.constantFrom(...KINDS),
        /** Now and then one that is older than what the person has, and does not apply. */
        agedBy: fc.constantFrom(0, 0, 0, 3),
        isUpdate: fc.boolean(),
        name: fc.constantFrom('x', 'y'),
        value: fc.nat(9),
      }),
      { maxLength: 3 },
    ),
  }),
  { minLength: 1, maxLength: 40, size: 'max' },
);
type Made = {
  readonly position: { readonly partition: 0; readonly offset: number };
  readonly atMs: number;
  readonly erased: string | null;
  readonly changes: readonly Change[];
};

function madeOf(all: typeof records extends fc.Arbitrary<infer T> ? T : never): readonly Made[] {
  let atMs = 0;
  let time = 1_000;
  return all.map(({ afterMs, erased, changes }, offset) => {
    atMs += afterMs;
    const erasure = { id: `erasure ${offset}`, orgId: 'org', atMs, digests: [digest(`${erased}`)] };
    return {
      ...{ position: { partition: 0, offset }, atMs, erased },
      changes: (erased === null ? [] : [erasureChange(erasure, '')]).concat(
        changes.map(({ key, kind, agedBy, isUpdate, name, value }) => {
          time += 1;
          const body: JsonObject = isUpdate
            ? { operation: 'update', value: { [name]: value } }
            : { value: { [name]: value } };
          return { key, kind, time: String(time - agedBy), body };
        }),
      ),
    };
  });
}

/** What every section held after every record that changed it. */
class Truth {
  readonly persons = new Map<string, PersonState>();
  readonly versions: {
    readonly key: string;
    readonly kind: string;
    readonly record: string;
    value: JsonObject;
    replacedAtMs: number | null;
  }[] = [];

  /** Sections of those who were erased since. */
  readonly gone: Pick<(typeof this.versions)[number], 'key' | 'kind' | 'record'>[] = [];

  take({ position, changes, atMs, erased }: Made): void {
    if (erased !== null) {
      this.persons.delete(erased);
      this.gone.push(...this.versions.filter(({ key }) => key === erased));
      this.versions.splice(0, Number.POSITIVE_INFINITY, ...this.versions.filter(({ key }) => key !== erased));
    }
    for (const change of changes) {
      if (change.kind === 'erasure') continue;
      const before = this.persons.get(change.key) ?? null;
      const after = applyChange(before, change, position)!;
      if (after === before) continue;
      this.persons.set(change.key, after);
      const record = `0:${position.offset}`;
      const value = (after.body[change.kind] as JsonObject)['value'] as JsonObject;
      const last = this.versions.findLast(({ key, kind }) => key === change.key && kind === change.kind);
      if (last?.record === record) {
        last.value = value;
        continue;
      }
      if (last !== undefined) last.replacedAtMs = atMs;
      this.versions.push({ key: change.key, kind: change.kind, record, value, replacedAtMs: null });
    }
  }
}

function read(sections: Sections, truth: Truth, atMs: number, isComplete: boolean): void {
  for (const { key, kind, record, value, replacedAtMs } of truth.versions) {
    if (kind === 'consent') continue;
    const found = sections.valueAt(key, kind, record);
    const isKept = replacedAtMs === null || replacedAtMs >= atMs - REPLACED_KEPT_MS;
    if (isComplete && isKept) expect(found).toEqual(value);
    else if (found !== LOST) expect(found).toEqual(value);
  }
  for (const { key, kind, record } of truth.gone) expect(sections.valueAt(key, kind, record)).toBe(LOST);
}

describe('sections', () => {
  test('hold what was read of them at any time in the last ten minutes', () => {
    fc.assert(
      fc.property(records, (all) => {
        const sections = new Sections(true, digest);
        const truth = new Truth();
        for (const made of madeOf(all)) {
          truth.take(made);
          sections.take(made.position, made.changes, made.atMs);
          read(sections, truth, made.atMs, true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('start from a snapshot like the log from its start', () => {
    fc.assert(
      fc.property(records, fc.nat(40), (all, cut) => {
        const made = madeOf(all);
        const truth = new Truth();
        for (const one of made.slice(0, cut)) truth.take(one);
        const sections = new Sections(true, digest);
        for (const person of truth.persons.values()) sections.restore(person);
        // What was replaced before the snapshot is not known.
        truth.versions.splice(0, truth.versions.length, ...truth.versions.filter((one) => one.replacedAtMs === null));
        for (const one of made.slice(cut)) {
          truth.take(one);
          sections.take(one.position, one.changes, one.atMs);
          read(sections, truth, one.atMs, true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('never hold what was not, where the start of the log is missing; and everything behind a snapshot', () => {
    fc.assert(
      fc.property(records, fc.nat(20), fc.nat(20), (all, dropped, more) => {
        const made = madeOf(all);
        const truth = new Truth();
        for (const one of made.slice(0, dropped)) truth.take(one);
        const ahead = new Truth();
        for (const one of made.slice(0, dropped + more)) ahead.take(one);
        const sections = new Sections(false, digest);
        for (const person of ahead.persons.values()) sections.learn(person);
        for (const one of made.slice(dropped, dropped + more)) {
          for (const key of ['a', 'b']) {
            for (const kind of ['profile', 'decision']) {
              if (one.position.offset % 3 === 0 && truth.persons.get(key)?.body[kind] === undefined) {
                sections.wasAbsent(key, kind);
              }
            }
          }
          truth.take(one);
          sections.take(one.position, one.changes, one.atMs);
          read(sections, truth, one.atMs, false);
        }
        sections.reachLearned();
        const since = new Truth();
        for (const person of ahead.persons.values()) since.persons.set(person.key, person);
        for (const one of made.slice(dropped + more)) {
          since.take(one);
          sections.take(one.position, one.changes, one.atMs);
          read(sections, since, one.atMs, true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('are held of those who are wanted, and of so many at most', () => {
    const change = (key: string): Change => ({ key, kind: 'profile', time: '1', body: { value: { key } } });
    const only = new Sections(true, null, { keys: new Set(['a']), max: 1 });
    only.take({ partition: 0, offset: 1 }, [change('a'), change('b')], 0);
    expect(only.valueAt('a', 'profile', '0:1')).toEqual({ key: 'a' });
    expect(only.valueAt('b', 'profile', '0:1')).toBe(LOST);
    const all = new Sections(true, null, { keys: null, max: 1 });
    all.take({ partition: 0, offset: 1 }, [change('a')], 0);
    expect(() => all.take({ partition: 0, offset: 2 }, [change('b')], 0)).toThrow(TooManyPersons);
  });

  test('say that they are lost, and make nothing up; what began since is known', () => {
    const sections = new Sections(false);
    const change = (key: string, time: string, operation: string): Change => ({
      ...{ key, kind: 'profile', time },
      body: { operation, value: { [`at${time}`]: 1 } },
    });
    sections.wasAbsent('new', 'profile');
    sections.take({ partition: 0, offset: 7 }, [change('old', '1', 'update'), change('new', '1', 'update')], 0);
    // It was changed before anybody found it absent: it is not known what it was.
    sections.wasAbsent('old', 'profile');
    sections.take({ partition: 0, offset: 8 }, [change('old', '2', 'replace'), change('new', '2', 'update')], 0);
    expect(sections.valueAt('old', 'profile', '0:7')).toBe(LOST);
    expect(sections.valueAt('old', 'profile', '0:8')).toBe(LOST);
    expect(sections.valueAt('new', 'profile', '0:7')).toEqual({ at1: 1 });
    expect(sections.valueAt('new', 'profile', '0:8')).toEqual({ at1: 1, at2: 1 });
    expect(sections.valueAt('new', 'profile', '0:3')).toBe(LOST);
  });
});
