import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Digest, erasureChange } from '../../src/model/erasure.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { Applied, StateStore } from '../../src/model/parts.ts';
import type { Change, PersonState } from '../../src/model/person.ts';

/** By which engines tell who is erased in these tests. */
export const DIGEST: Digest = (key) => `digest of ${key}`;

/** How an engine is opened in these tests. It is given `DIGEST`. */
export interface StateEngine {
  /** A store that holds nothing. */
  open(): Promise<StateStore>;
  /** Closes a store and opens it again with what it kept; null where an engine keeps nothing. */
  readonly reopen: ((store: StateStore) => Promise<StateStore>) | null;
  /** Removes what `open` made. */
  dispose(): Promise<void>;
}

const PARTITION = 0;

export function time(ms: number, counter = 0): string {
  return `${ms.toString(16).padStart(12, '0')}-${counter.toString(16).padStart(4, '0')}`;
}

export function change(key: string, ms: number, body: JsonObject, kind: Change['kind'] = 'profile'): Change {
  return { kind, key, time: time(ms), body };
}

export function record(offset: number, ...changes: Change[]): Applied {
  return { position: { partition: PARTITION, offset }, changes };
}

/** A change that erases the persons with these keys. */
export function erasing(...keys: string[]): Change {
  return erasureChange({ id: 'e', orgId: 'org', atMs: 1, digests: keys.map(DIGEST) }, time(1));
}

/** Everything in a store, by key; each person once. */
export function contentOf(store: StateStore): Map<string, PersonState> {
  const dump = store.dump();
  try {
    const persons = [...dump.persons];
    const byKey = new Map(persons.map((person) => [person.key, person]));
    expect(byKey.size, 'persons that are dumped once').toBe(persons.length);
    return byKey;
  } finally {
    dump.end();
  }
}

async function* each<T>(values: Iterable<T>): AsyncGenerator<T> {
  yield* values;
}

/** A new store before each test of the suite that calls this, closed behind it. A test that opens it again puts it in its place. */
export function openedForEach(makeEngine: () => StateEngine): { readonly engine: StateEngine; store: StateStore } {
  const held = {} as { engine: StateEngine; store: StateStore };
  beforeEach(async () => {
    held.engine = makeEngine();
    held.store = await held.engine.open();
  });
  afterEach(async () => {
    await held.store.close();
    await held.engine.dispose();
  });
  return held;
}

/** What a store has of a person's profile. */
export async function profileValue(store: StateStore, key: string): Promise<unknown> {
  return ((await store.get(key))?.body['profile'] as JsonObject | undefined)?.['value'];
}

/** What every engine of `StateStore` must do. */
export function describeStateStore(name: string, makeEngine: () => StateEngine): void {
  describe(`StateStore: ${name}`, () => {
    const held = openedForEach(makeEngine);
    const valueIn = (key: string): Promise<unknown> => profileValue(held.store, key);

    test('a new store knows nobody and has applied nothing', async () => {
      expect(await held.store.get('a')).toBeNull();
      expect(await held.store.getMany(['a', 'b'])).toEqual([null, null]);
      expect(await held.store.appliedUpTo(PARTITION)).toBe(-1);
      expect([...contentOf(held.store)]).toEqual([]);
    });

    test('a change is visible when apply returns or resolves, with its time and record', async () => {
      await held.store.apply([record(3, change('a', 7, { value: { tier: 'gold' }, by: 'rule' }))]);
      expect(await held.store.get('a')).toEqual({
        key: 'a',
        version: 1,
        body: { profile: { value: { tier: 'gold' }, by: 'rule', time: time(7), record: '0:3' } },
      });
      expect(await held.store.appliedUpTo(PARTITION)).toBe(3);
    });

    test('what was applied before is skipped: twice is once', async () => {
      const records = [record(0, change('a', 1, { value: 1 })), record(1, change('b', 1, { value: 2 }))];
      await held.store.apply(records);
      await held.store.apply(records);
      await held.store.apply([record(1, change('a', 9, { value: 'never' })), record(2, change('b', 2, { value: 3 }))]);
      expect([(await held.store.get('a'))?.version, await valueIn('a')]).toEqual([1, 1]);
      expect([(await held.store.get('b'))?.version, await valueIn('b')]).toEqual([2, 3]);
      expect(await held.store.appliedUpTo(PARTITION)).toBe(2);
    });

    test('the checkpoint moves with records that change nobody, and stays with none', async () => {
      await held.store.apply([record(5)]);
      expect(await held.store.appliedUpTo(PARTITION)).toBe(5);
      await held.store.apply([]);
      expect(await held.store.appliedUpTo(PARTITION)).toBe(5);
    });

    test('changes meet in log order, within a record and between records', async () => {
      await held.store.apply([
        record(
          0,
          change('a', 1, { value: { x: 1 } }),
          change('a', 2, { operation: 'update', value: { y: 2 } }),
          change('a', 3, { operation: 'update', value: { x: 3 } }),
        ),
        record(1, change('a', 4, { operation: 'update', value: { z: 4 } })),
      ]);
      expect(await valueIn('a')).toEqual({ x: 3, y: 2, z: 4 });
      expect((await held.store.get('a'))?.version).toBe(4);
    });

    test('a change that is not newer changes nothing, whatever its place in the log', async () => {
      await held.store.apply([record(0, change('a', 5, { value: 'new' }))]);
      await held.store.apply([
        record(1, change('a', 4, { value: 'older' })),
        record(2, change('a', 5, { value: 'as old' })),
      ]);
      expect([await valueIn('a'), (await held.store.get('a'))?.version]).toEqual(['new', 1]);
    });

    test('the sections of a person are apart', async () => {
      await held.store.apply([
        record(0, change('a', 5, { value: 'yes' }, 'consent')),
        record(1, change('a', 4, { value: 'gold' }, 'profile')),
      ]);
      const body = (await held.store.get('a'))?.body as Record<string, JsonObject>;
      expect([body['consent']?.['value'], body['profile']?.['value']]).toEqual(['yes', 'gold']);
    });

    test('an update merges one level deep, a replacement forgets', async () => {
      await held.store.apply([
        record(0, change('a', 1, { value: { x: { deep: 1 }, y: 2 } })),
        record(1, change('a', 2, { operation: 'update', value: { x: { other: 1 } } })),
      ]);
      expect(await valueIn('a')).toEqual({ x: { other: 1 }, y: 2 });
      await held.store.apply([record(2, change('a', 3, { value: { z: 1 } }))]);
      expect(await valueIn('a')).toEqual({ z: 1 });
    });

    test.each(LOOKALIKES)('keys that look alike are different persons: %s', async (_name, one, other) => {
      await held.store.apply([record(0, change(one, 1, { value: 1 })), record(1, change(other, 1, { value: 2 }))]);
      held.store = (await held.engine.reopen?.(held.store)) ?? held.store;
      expect([await valueIn(one), await valueIn(other)]).toEqual([1, 2]);
      expect(contentOf(held.store).size).toBe(2);
    });

    test('getMany answers in the order asked, with null for the unknown and repeats repeated', async () => {
      await held.store.apply([record(0, change('a', 1, { value: 1 }), change('b', 1, { value: 2 }))]);
      const found = await held.store.getMany(['b', 'nobody', 'a', 'b']);
      expect(found.map((person) => person?.key ?? null)).toEqual(['b', null, 'a', 'b']);
    });

    test('large values and every kind of text come back as they were', async () => {
      const value = { long: 'ü'.repeat(3_000_000), texts: ['\u0000', '\ud800', '\u2028', '😀'], deep: nested(200) };
      await held.store.apply([record(0, change('a', 1, { value }))]);
      held.store = (await held.engine.reopen?.(held.store)) ?? held.store;
      expect(await valueIn('a')).toEqual(value);
    });

    test('a dump stays what it was while changes go on', async () => {
      const keys = Array.from({ length: 500 }, (_, i) => `person ${i}`);
      await held.store.apply([record(0, ...keys.map((key) => change(key, 1, { value: 'before' })))]);
      const dump = held.store.dump();
      const seen = new Map<string, PersonState>();
      let offset = 0;
      for (const person of dump.persons) {
        seen.set(person.key, person);
        if (seen.size % 50 !== 0) continue;
        offset += 1;
        const now = [...keys, `new ${offset}`].map((key) => change(key, 1 + offset, { value: 'after' }));
        await held.store.apply([record(offset, ...now)]);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      dump.end();
      expect(dump.position).toEqual({ partition: PARTITION, offset: 0 });
      expect([...seen.keys()].sort()).toEqual([...keys].sort());
      expect(new Set([...seen.values()].map(({ version }) => version))).toEqual(new Set([1]));
      expect(contentOf(held.store).size).toBe(510);
    });

    test('a restore replaces persons and checkpoint, and the log goes on behind it', async () => {
      await held.store.apply([
        record(0, change('gone', 1, { value: 1 })),
        record(9, change('a', 9, { value: 'ahead' })),
      ]);
      const person = { key: 'a', version: 4, body: { profile: { value: 'restored', time: time(3), record: '0:3' } } };
      await held.store.restore({ partition: PARTITION, offset: 6 }, each([person]));
      expect([...contentOf(held.store).values()]).toEqual([person]);
      expect(await held.store.appliedUpTo(PARTITION)).toBe(6);
      await held.store.apply([
        record(6, change('a', 8, { value: 'skipped' })),
        record(7, change('a', 8, { value: 'next' })),
      ]);
      held.store = (await held.engine.reopen?.(held.store)) ?? held.store;
      expect([await valueIn('a'), (await held.store.get('a'))?.version]).toEqual(['next', 5]);
      expect(await held.store.get('gone')).toBeNull();
    });

    test('a restore that fails midway changes nothing', async () => {
      await held.store.apply([record(4, change('a', 1, { value: 1 }))]);
      async function* broken(): AsyncGenerator<PersonState> {
        yield { key: 'a', version: 9, body: {} };
        throw new Error('the snapshot is damaged');
      }
      await expect(held.store.restore({ partition: PARTITION, offset: 2 }, broken())).rejects.toThrow('is damaged');
      held.store = (await held.engine.reopen?.(held.store)) ?? held.store;
      expect(await held.store.appliedUpTo(PARTITION)).toBe(4);
      expect([await valueIn('a'), contentOf(held.store).size]).toEqual([1, 1]);
    });

    test('restoring nothing leaves a store that has applied nothing', async () => {
      await held.store.apply([record(4, change('a', 1, { value: 1 }))]);
      await held.store.restore({ partition: PARTITION, offset: -1 }, each([]));
      held.store = (await held.engine.reopen?.(held.store)) ?? held.store;
      expect(await held.store.appliedUpTo(PARTITION)).toBe(-1);
      await held.store.apply([record(0, change('a', 1, { value: 2 }))]);
      expect(await valueIn('a')).toBe(2);
    });

    test('does what a plain object does, for random records, repeats, erasures, purges, dumps, restores and restarts', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(STEPS, { minLength: 1, maxLength: 25 }), async (steps) => {
          await held.store.close();
          await held.engine.dispose();
          held.store = await held.engine.open();
          const model = new PlainState();
          for (const step of steps) {
            if (step.do === 'apply') {
              const records = model.next(step.records, step.repeat);
              model.apply(records);
              await held.store.apply(records);
            } else if (step.do === 'erase') {
              const records = model.erasure(step.keys);
              model.apply(records);
              await held.store.apply(records);
            } else if (step.do === 'purge') {
              await held.store.purge();
            } else if (step.do === 'restart') {
              held.store = (await held.engine.reopen?.(held.store)) ?? held.store;
            } else if (step.do === 'restore') {
              const dump = held.store.dump();
              await held.store.restore(dump.position, each([...dump.persons]));
              dump.end();
            } else {
              await new Promise((resolve) => setTimeout(resolve, step.ms));
            }
            expect(contentOf(held.store)).toEqual(model.persons);
            expect(await held.store.appliedUpTo(PARTITION)).toBe(model.applied);
            expect(await held.store.getMany(KEYS)).toEqual(KEYS.map((key) => model.persons.get(key) ?? null));
          }
        }),
        { numRuns: 40 },
      );
    });
  });
}

function nested(depth: number): JsonObject {
  let value: JsonObject = { end: true };
  for (let i = 0; i < depth; i++) value = { in: value };
  return value;
}

/** Pairs of keys that an engine might take for one. */
const LOOKALIKES: [string, string, string][] = [
  ['case', 'org|Email|a@example.com', 'org|email|a@example.com'],
  ['a longer one', 'a', 'ab'],
  ['an end of zeros', 'a', 'a\u0000'],
  ['composed and decomposed', '\u00e9', 'e\u0301'],
  ['lone surrogates', 'x\ud800', 'x\udbff'],
  ['a lone surrogate and its replacement', '\ud800', '\ufffd'],
  ['long, different at the end', `${'k'.repeat(5000)}1`, `${'k'.repeat(5000)}2`],
  ['around the length of a database key', 'k'.repeat(1977), 'k'.repeat(1978)],
  ['the empty one', '', ' '],
  ['names of an object', '__proto__', 'constructor'],
];

const KEYS = ['a', 'b', 'c', `long ${'x'.repeat(2000)}`, '__proto__'];
const KINDS = ['consent', 'decision', 'profile'] as const;

/** Of TC strings, and what looks like one. */
const HASHES = ['A'.repeat(43), `${'-_x'.repeat(14)}w`, 'B'.repeat(43), 'A'.repeat(44), 'A'.repeat(42), ''];

interface PlannedChange {
  readonly key: string;
  readonly kind: Change['kind'];
  /** May be older than what is there. */
  readonly ms: number;
  readonly update: boolean;
  readonly value: JsonObject;
}
const CHANGES: fc.Arbitrary<PlannedChange> = fc.record({
  key: fc.constantFrom(...KEYS),
  kind: fc.constantFrom(...KINDS),
  ms: fc.integer({ min: 1, max: 30 }),
  update: fc.boolean(),
  value: fc.oneof(
    fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.oneof(fc.integer(), fc.string(), fc.constant(null)), {
      noNullPrototype: true,
    }) as fc.Arbitrary<JsonObject>,
    // Lists that several have, and such as one person may have alone.
    fc
      .tuple(fc.constantFrom('f', '8', 'a1', '07c', '', 'F'), fc.constantFrom(99, 100), fc.constantFrom(...HASHES))
      .map(([vendors, times, hash]) => ({ tcf: { hash, purposes: [1], vendors: vendors.repeat(times) } })),
  ),
});
type Step =
  | { readonly do: 'apply'; readonly records: readonly (readonly PlannedChange[])[]; readonly repeat: number }
  | { readonly do: 'erase'; readonly keys: readonly string[] }
  | { readonly do: 'purge' }
  | { readonly do: 'restart' }
  | { readonly do: 'restore' }
  | { readonly do: 'wait'; readonly ms: number };
const STEPS: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('apply' as const),
      records: fc.array(fc.array(CHANGES, { maxLength: 4 }), { maxLength: 4 }),
      repeat: fc.nat(3),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('erase' as const),
      keys: fc.uniqueArray(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'purge' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restore' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3 }) }) },
);

/** The rules of state once more, as plainly as they can be written. */
class PlainState {
  readonly persons = new Map<string, PersonState>();
  readonly log: Applied[] = [];
  applied = -1;

  /** The records as they stand in the log, after up to `repeat` that were given before. */
  next(planned: readonly (readonly PlannedChange[])[], repeat: number): Applied[] {
    const before = repeat === 0 ? [] : this.log.slice(-repeat);
    const fresh = planned.map((changes, i) =>
      record(
        this.log.length + i,
        ...changes.map(({ key, kind, ms, update, value }) =>
          change(key, ms, update ? { operation: 'update', value, note: ms } : { value }, kind),
        ),
      ),
    );
    this.log.push(...fresh);
    return [...before, ...fresh];
  }

  erasure(keys: readonly string[]): Applied[] {
    const erased = record(this.log.length, erasing(...keys));
    this.log.push(erased);
    return [erased];
  }

  apply(records: readonly Applied[]): void {
    for (const { position, changes } of records) {
      if (position.offset <= this.applied) continue;
      this.applied = position.offset;
      const digests = changes.flatMap(({ kind, body }) => (kind === 'erasure' ? (body['digests'] as string[]) : []));
      for (const key of this.persons.keys()) if (digests.includes(DIGEST(key))) this.persons.delete(key);
      if (digests.length > 0) continue;
      for (const { key, kind, time, body } of changes) {
        const person = this.persons.get(key) ?? { key, version: 0, body: {} };
        const section = person.body[kind] as JsonObject | undefined;
        if (section !== undefined && String(section['time']) >= time) continue;
        const next: JsonObject = { ...body, time, record: `0:${position.offset}` };
        if (body['operation'] === 'update') {
          const changed = body['value'] as JsonObject;
          const value = { ...(section?.['value'] as JsonObject), ...changed };
          if (kind === 'profile')
            for (const name of Object.keys(changed)) if (changed[name] === null) delete value[name];
          next['value'] = value;
        }
        delete next['operation'];
        this.persons.set(key, { key, version: person.version + 1, body: { ...person.body, [kind]: next } });
      }
    }
  }
}
