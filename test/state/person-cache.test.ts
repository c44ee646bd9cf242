import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PersonState } from '../../src/model/person.ts';
import { PersonCache } from '../../src/state/person-cache.ts';

const person = (key: string, version: number): PersonState => ({ key, version, body: {} });
/** Bytes of an entry beside the person. */
const OWN = 64;

describe('what is kept', () => {
  test('persons who are asked for stay; who was not for two generations is forgotten', () => {
    const cache = new PersonCache(10 * (100 + OWN));
    cache.put('asked for', person('asked for', 1), 100);
    cache.put('left', person('left', 1), 100);
    for (let i = 0; i < 40; i++) {
      expect(cache.get('asked for')?.version).toBe(1);
      cache.put(`other ${i}`, person(`other ${i}`, 1), 100);
    }
    expect(cache.get('left')).toBeUndefined();
    expect(cache.get('other 39')?.version).toBe(1);
  });

  test('at the edge: as many as fit into one generation are all there', () => {
    const cache = new PersonCache(10 * (100 + OWN));
    for (let i = 0; i < 10; i++) cache.put(`p${i}`, person(`p${i}`, 1), 100);
    for (let i = 0; i < 10; i++) expect(cache.get(`p${i}`)?.key).toBe(`p${i}`);
  });

  test('one who is larger than a generation is kept until the next', () => {
    const cache = new PersonCache(100);
    cache.put('large', person('large', 1), 1000);
    expect(cache.get('large')?.version).toBe(1);
    cache.put('next', person('next', 1), 1000);
    cache.put('next but one', person('next but one', 1), 1000);
    expect(cache.get('large')).toBeUndefined();
  });

  test('that there is nobody is known too', () => {
    const cache = new PersonCache(1000);
    cache.put('nobody', null, 0);
    expect(cache.get('nobody')).toBeNull();
    cache.put('nobody', person('nobody', 1), 10);
    expect(cache.get('nobody')?.version).toBe(1);
    cache.clear();
    expect(cache.get('nobody')).toBeUndefined();
  });
});

test('whatever is put, asked for and forgotten: what it has is what was put last, and it is bounded', () => {
  const key = fc.nat(20).map(String);
  const step = fc.oneof(
    fc.tuple(fc.constant('put' as const), key, fc.nat(300)),
    fc.tuple(fc.constant('get' as const), key, fc.constant(0)),
    fc.tuple(fc.constant('clear' as const), key, fc.constant(0)),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const cache = new PersonCache(1000);
      const last = new Map<string, PersonState>();
      for (const [index, [what, at, bytes]] of steps.entries()) {
        if (what === 'clear') cache.clear();
        if (what === 'put') {
          const one = person(at, index);
          last.set(at, one);
          cache.put(at, one, bytes);
          expect(cache.get(at)).toBe(one);
        }
        const found = cache.get(at);
        if (found !== undefined) expect(found).toBe(last.get(at));
      }
      const held = [...last.keys()].filter((one) => cache.get(one) !== undefined);
      // Two generations, each of 1000 bytes and what overflowed it by.
      expect(held.length * OWN).toBeLessThanOrEqual(2 * (1000 + 300 + OWN));
    }),
  );
});
