import { describe, expect, test } from 'vitest';
import { AdminQuery, cursorOf, LIMIT_DEFAULT, LIMIT_MAX, pageOf } from '../../src/admin/query.ts';
import { Problem } from '../../src/model/problem.ts';

const SPEC = {
  id: 'id',
  from: 'time',
  after: 'number',
  limit: 'limit',
  cursor: 'cursor',
  to: 'day',
  by: ['a', 'b'],
} as const;
const query = (text: string) => new AdminQuery(SPEC, text);

test('what is absent has its default', () => {
  const none = query('');
  expect([none.text('id'), none.timeMs('from', 7), none.number('after', 8), none.limit(), none.cursor()]).toEqual([
    null,
    7,
    8,
    LIMIT_DEFAULT,
    null,
  ]);
});

test('what is there is read', () => {
  const some = query(`id=shop%3Adev&from=2026-11-23T09:30:00Z&after=12&limit=${LIMIT_MAX}&cursor=${cursorOf('ü x')}`);
  expect([some.text('id'), some.timeMs('from', 0), some.number('after', 0), some.limit(), some.cursor()]).toEqual([
    'shop:dev',
    1_795_426_200_000,
    12,
    LIMIT_MAX,
    'ü x',
  ]);
});

describe('a mistake is a 400 that names the parameter', () => {
  test.each([
    ['other=1', "'other'. It takes id, from, after, limit, cursor, to, by"],
    ['id=a&id=b', "'id' is 'b'; it takes one value"],
    ['from=yesterday', "'from' is 'yesterday'"],
    ['after=-1', "'after'"],
    ['after=1e3', "'after'"],
    ['limit=0', "'limit'"],
    [`limit=${LIMIT_MAX + 1}`, `it takes 1 to ${LIMIT_MAX}`],
    ['cursor=', "'cursor'"],
    ['cursor=!!', "'cursor'"],
    [`cursor=${'a'.repeat(401)}`, "'cursor'"],
    ['to=2026-02-30', "'to' is '2026-02-30'; it takes a day such as 2026-11-28"],
    ['to=20261128', "'to'"],
    ['by=c', "'by' is 'c'; it takes a or b"],
    ['by=', "'by'"],
    ['__proto__=1', "'__proto__'"],
  ])('%s', (text, detail) => {
    const read = (): void => {
      const one = query(text);
      one.timeMs('from', 0);
      one.number('after', 0);
      one.limit();
      one.cursor();
      one.day('to');
      one.oneOf('by', SPEC.by, 'a');
    };
    expect(read).toThrow(Problem);
    expect(read).toThrow(detail);
  });
});

test('a day is read as it is', () => {
  expect([query('').day('to'), query('to=2028-02-29').day('to')]).toEqual([null, '2028-02-29']);
});

test('days are a range: one that ends before it begins would be counted as nothing', () => {
  const read = (text: string) => new AdminQuery({ from: 'day', to: 'day' }, text).days('from', 'to');
  expect(read('')).toEqual({ from: null, to: null });
  expect(read('from=2026-11-28&to=2026-11-28')).toEqual({ from: '2026-11-28', to: '2026-11-28' });
  expect(read('to=2026-11-28')).toEqual({ from: null, to: '2026-11-28' });
  expect(() => read('from=2026-11-29&to=2026-11-28')).toThrow(
    "The parameter 'from' is '2026-11-29'; it takes a day that is not after 'to', 2026-11-28.",
  );
});

test('pages go on behind the last one, and the last says so', () => {
  const all = ['a', 'b', 'c', 'd', 'e'];
  const pages: string[][] = [];
  let after: string | null = null;
  do {
    const page: ReturnType<typeof pageOf<string>> = pageOf(all, (one) => one, after, 2);
    pages.push([...page.items]);
    after = page.next === null ? null : query(`cursor=${page.next}`).cursor();
  } while (after !== null);
  expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  expect(pageOf(['a', 'b'], (one) => one, null, 2).next).toBeNull();
});

test('one of some texts is read as it is', () => {
  expect([query('').oneOf('by', SPEC.by, 'b'), query('by=a').oneOf('by', SPEC.by, 'b')]).toEqual(['b', 'a']);
});
