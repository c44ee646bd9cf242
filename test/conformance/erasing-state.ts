import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { type Change, personKey } from '../../src/model/person.ts';
import { change, contentOf, erasing, openedForEach, profileValue, record, type StateEngine } from './state-store.ts';

const PARTITION = 0;

/** What every engine of `StateStore` must do where persons are erased. */
export function describeErasingState(name: string, makeEngine: () => StateEngine): void {
  describe(`StateStore that erases: ${name}`, () => {
    const held = openedForEach(makeEngine);
    const valueIn = (key: string): Promise<unknown> => profileValue(held.store, key);
    const afterRestart = async (): Promise<void> => {
      held.store = (await held.engine.reopen?.(held.store)) ?? held.store;
    };

    test.each<[string, () => Promise<void>]>([
      ['at once', async () => {}],
      ['after a restart', afterRestart],
      ['after a purge', () => held.store.purge()],
      [
        'after a purge and a restart',
        async () => {
          await held.store.purge();
          await afterRestart();
        },
      ],
    ])('%s: nobody knows the person, and everybody else is as they were', async (_when, pass) => {
      const both = [change('a', 1, { value: 1 }), change('b', 1, { value: 2 })];
      await held.store.apply([record(0, ...both, change('a', 2, { value: 'y' }, 'consent'))]);
      const other = await held.store.get('b');
      await held.store.apply([record(1, erasing('a'))]);
      await pass();
      expect(await held.store.get('a')).toBeNull();
      expect(await held.store.getMany(['a', 'b', 'a'])).toEqual([null, other, null]);
      expect([...contentOf(held.store).values()]).toEqual([other]);
      expect(await held.store.appliedUpTo(PARTITION)).toBe(1);
    });

    test('whoever comes behind it is somebody new, in the same batch of records too, and outlasts the purge', async () => {
      await held.store.apply([record(0, change('a', 9, { value: 'before' }), change('b', 9, { value: 'before' }))]);
      // Their clocks may be behind that of what is gone.
      await held.store.apply([
        record(1, change('b', 10, { operation: 'update', value: { old: 1 } })),
        record(2, erasing('a', 'b')),
        record(3, change('b', 3, { operation: 'update', value: { x: 1 } })),
      ]);
      await held.store.apply([record(4, change('a', 2, { value: 'after' }))]);
      const expected = [
        ['after', 1],
        [{ x: 1 }, 1],
      ];
      const seen = async (): Promise<unknown> => [
        [await valueIn('a'), (await held.store.get('a'))?.version],
        [await valueIn('b'), (await held.store.get('b'))?.version],
      ];
      expect(await seen()).toEqual(expected);
      await afterRestart();
      await held.store.purge();
      await afterRestart();
      expect(await seen()).toEqual(expected);
    });

    test('takes the links to the person from others, and no link that comes behind it', async () => {
      const [ann, bob, device] = [
        ['CRMID', 'ann'],
        ['CRMID', 'bob'],
        ['ECID', 'd'],
      ] as const;
      const keyOf = ([namespace, id]: readonly [string, string]): string => personKey('org', namespace, id);
      const link = (ms: number, one: readonly [string, string]): Change =>
        change(keyOf(device), ms, { links: [[...one, 'authenticated']] }, 'identity');
      const linked = async (): Promise<string[]> => {
        const person = await held.store.get(keyOf(device));
        return ((person!.body['identity'] as JsonObject)['links'] as string[][]).map(([, id]) => id!).sort();
      };
      await held.store.apply([record(0, link(1, ann), link(2, bob), change(keyOf(ann), 1, { value: 1 }))]);
      expect(await linked()).toEqual(['ann', 'bob']);
      await held.store.apply([record(1, erasing(keyOf(ann)))]);
      expect(await linked()).toEqual(['bob']);
      await held.store.purge();
      await afterRestart();
      expect(await linked()).toEqual(['bob']);
      await held.store.apply([record(2, link(3, ann))]);
      expect(await linked()).toEqual(['ann', 'bob']);
    });

    test('takes the id for all sites from those who have it too', async () => {
      const [one, other] = [personKey('org', 'ECID', '1'), personKey('org', 'ECID', '2')];
      const core = '7'.repeat(38);
      await held.store.apply([
        record(0, change(one, 1, { core }, 'identity'), change(other, 1, { core }, 'identity'), change(other, 1, {})),
      ]);
      await held.store.apply([record(1, erasing(one, personKey('org', 'CORE', core)))]);
      const check = async (): Promise<void> => {
        expect(await held.store.get(one)).toBeNull();
        expect(JSON.stringify(await held.store.get(other))).not.toContain(core);
      };
      await check();
      await held.store.purge();
      await afterRestart();
      await check();
    });

    test('is of one org', async () => {
      const [here, there] = [personKey('here', 'ECID', '1'), personKey('there', 'ECID', '1')];
      await held.store.apply([
        record(0, change(here, 1, { value: 1 }), change(there, 1, { value: 2 }), change('x', 1, {})),
      ]);
      await held.store.apply([record(1, erasing(here))]);
      await held.store.purge();
      expect([await held.store.get(here), await valueIn(there)]).toEqual([null, 2]);
    });

    test('work that goes on during a purge is there afterwards, and a second erasure too', async () => {
      const keys = Array.from({ length: 300 }, (_, i) => `person ${i}`);
      await held.store.apply([record(0, ...keys.map((key) => change(key, 1, { value: 'before' })))]);
      await held.store.apply([record(1, erasing('person 0'))]);
      const purging = held.store.purge();
      for (let offset = 2; offset < 42; offset++) {
        const [old, fresh] = [`person ${offset}`, `new ${offset}`];
        await held.store.apply([
          record(offset, change(old, offset, { value: 'after' }), change(fresh, 1, { value: 1 })),
        ]);
        if (offset % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await held.store.apply([record(42, erasing('person 1', 'new 2'))]);
      await purging;
      const check = async (): Promise<void> => {
        expect(await held.store.getMany(['person 0', 'person 1', 'new 2'])).toEqual([null, null, null]);
        expect(contentOf(held.store).size).toBe(300 + 40 - 3);
        expect([await valueIn('person 41'), await valueIn('person 42')]).toEqual(['after', 'before']);
        expect(await held.store.appliedUpTo(PARTITION)).toBe(42);
      };
      await check();
      await held.store.purge();
      await afterRestart();
      await check();
    });

    test('a purge with nobody to remove changes nothing', async () => {
      await held.store.apply([record(0, change('a', 1, { value: 1 }))]);
      const before = [...contentOf(held.store)];
      await held.store.purge();
      expect([...contentOf(held.store)]).toEqual(before);
    });
  });
}
