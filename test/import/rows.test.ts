import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LINE_CHARACTERS_MAX, type Row, rowsOf } from '../../src/import/rows.ts';
import { tempFolder } from '../support/temp-folder.ts';

async function read(name: string, text: string): Promise<Row[]> {
  const path = join(tempFolder(), name);
  writeFileSync(path, text);
  const rows: Row[] = [];
  for await (const row of rowsOf(path)) rows.push(row);
  return rows;
}
const good = (line: number, value: object): Row => ({ line, value: value as Row['value'], why: '' });
const bad = (line: number, why: string): Row => ({ line, value: null, why });

describe('NDJSON', () => {
  test.each<[string, string, Row[]]>([
    ['objects', '{"a":1}\n{"b":[2]}\n', [good(1, { a: 1 }), good(2, { b: [2] })]],
    ['no line end', '{"a":1}', [good(1, { a: 1 })]],
    ['empty lines keep their numbers', '\n{"a":1}\r\n \r\n{"b":2}', [good(2, { a: 1 }), good(4, { b: 2 })]],
    ['a byte order mark', '\uFEFF{"a":1}', [good(1, { a: 1 })]],
    ['others than objects', '[1]\n7\n{', [1, 2, 3].map((line) => bad(line, 'It is no JSON object.'))],
    ['a prototype', '{"__proto__":{"a":1},"b":2}', [good(1, { b: 2 })]],
    ['nothing', '', []],
  ])('%s', async (_what, text, rows) => {
    expect(await read('a.ndjson', text)).toEqual(rows);
  });

  test('the longest line, and one that is longer', async () => {
    const of = (length: number): string => JSON.stringify({ a: 'x'.repeat(length - 8) });
    const [fits, tooLong] = await read('a.jsonl', `${of(LINE_CHARACTERS_MAX)}\n${of(LINE_CHARACTERS_MAX + 1)}\n`);
    expect(fits!.why).toBe('');
    expect(tooLong).toEqual(bad(2, 'It has 65537 characters; at most 65536 are taken.'));
  });
});

/** RFC 4180, less line breaks in values. */
describe('CSV', () => {
  test.each<[string, string, Row[]]>([
    ['columns by name', 'a,b\n1,2\n', [good(2, { a: '1', b: '2' })]],
    ['quotes, and quotes in quotes', 'a,b\n"1,5","say ""hi"""\n', [good(2, { a: '1,5', b: 'say "hi"' })]],
    ['empty fields', 'a,b,c\n,"",\n', [good(2, { a: '', b: '', c: '' })]],
    ['space is kept, but not around names', ' a ,b\n 1 , 2\n', [good(2, { a: ' 1 ', b: ' 2' })]],
    [
      'too few and too many',
      'a,b\n1\n1,2,3\n',
      [bad(2, 'It has 1 fields, the first line 2.'), bad(3, 'It has 3 fields, the first line 2.')],
    ],
    ['a quote that does not end', 'a,b\n"1,2\n', [bad(2, 'A quote in it does not end.')]],
    ['the header alone', 'a,b\n', []],
  ])('%s', async (_what, text, rows) => {
    expect(await read('a.csv', text)).toEqual(rows);
  });
});

test('a file that is not there', async () => {
  await expect(rowsOf('/nonexistent/a.ndjson').next()).rejects.toThrow(/ENOENT/);
});
