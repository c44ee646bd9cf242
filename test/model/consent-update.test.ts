import { expect, test } from 'vitest';
import { completed } from '../../src/model/consent-update.ts';
import type { JsonObject } from '../../src/model/json.ts';

const n = { val: 'n' };
const y = { val: 'y' };

test.each<[string, JsonObject, JsonObject, JsonObject]>([
  ['another preference', { marketing: { email: n } }, { share: y }, { share: y }],
  ['one that is new', {}, { marketing: { push: y } }, { marketing: { push: y } }],
  [
    'another channel',
    { marketing: { email: n, any: y } },
    { marketing: { push: y } },
    { marketing: { email: n, any: y, push: y } },
  ],
  [
    'the same channel, whole',
    { marketing: { email: { ...n, reason: 'r' } } },
    { marketing: { email: y } },
    { marketing: { email: y } },
  ],
  [
    'any: it speaks for every channel',
    { marketing: { email: y } },
    { marketing: { any: n } },
    { marketing: { any: n } },
  ],
  ['what a choice was before is not kept', { collect: { ...y, time: 't' } }, { collect: n }, { collect: n }],
  ['metadata, whole', { metadata: { time: '1', x: 1 } }, { metadata: { time: '2' } }, { metadata: { time: '2' } }],
  [
    'of one id',
    { idSpecific: { Email: { a: { marketing: { email: n } }, b: { marketing: { email: n } } } } },
    { idSpecific: { Email: { a: { marketing: { push: n } } } } },
    { idSpecific: { Email: { a: { marketing: { email: n, push: n } }, b: { marketing: { email: n } } } } },
  ],
  ['where something else stood', { marketing: 'x' }, { marketing: { push: y } }, { marketing: { push: y } }],
])('an update of %s', (_, before, update, expected) => {
  const copy = structuredClone(before);
  expect(completed(before, update)).toEqual(expected);
  expect(before).toEqual(copy);
});

test('a name that is no name', () => {
  const update = JSON.parse('{"marketing":{"__proto__":{"val":"y"}}}') as JsonObject;
  const value = completed({ marketing: { email: n } }, update)['marketing'] as JsonObject;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.keys(value)).toEqual(['email', '__proto__']);
});
