import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALIASES_MAX, NESTING_MAX, parseSource } from '../../src/config/parse.ts';
import { Source } from '../../src/config/source.ts';
import type { Json } from '../../src/model/json.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

function told(text: string | Uint8Array): string[] {
  const source = parseSource('a.yaml', typeof text === 'string' ? bytes(text) : text);
  return source instanceof Source ? [] : source.map(String);
}

function parsed(text: string | Uint8Array): Source {
  const source = parseSource('a.yaml', typeof text === 'string' ? bytes(text) : text);
  if (!(source instanceof Source)) throw new Error(source.map(String).join('\n'));
  return source;
}

describe('values', () => {
  test.each<[string, Json]>([
    ['{}', {}],
    ['a: 1\nb: [x, null]\n', { a: 1, b: ['x', null] }],
    ['{"a": "\\u00e9\\n"}', { a: 'é\n' }],
    ['yes: no\n', { yes: 'no' }],
    ['1: a\ntrue: b\n', { '1': 'a', true: 'b' }],
    ['a: 2026-11-23\n', { a: '2026-11-23' }],
    ['%YAML 1.1\n---\na: yes\n', { a: 'yes' }],
    ['\ufeffa: 1\n', { a: 1 }],
    ['a: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
    ['a: &x [1]\nb: *x\n', { a: [1], b: [1] }],
    ['a: |\n  two\n  lines\n', { a: 'two\nlines\n' }],
  ])('%j', (text, value) => {
    expect(parsed(text).value).toEqual(value);
  });
});

describe('places', () => {
  const source = parsed('a: 1\nlist:\n  - x: y\n    "q": &q {z: 1}\n  - *q\nnone:\n');
  test.each<[path: (string | number)[], of: 'key' | 'value', place: string]>([
    [[], 'value', '1:1'],
    [['a'], 'value', '1:4'],
    [['a'], 'key', '1:1'],
    [['list', 0, 'x'], 'value', '3:8'],
    [['list', 0, 'q'], 'key', '4:5'],
    [['list', 1], 'value', '5:5'],
    [['list', 1, 'z'], 'value', '4:17'],
    [['none'], 'value', '6:6'],
    [['absent'], 'value', '1:1'],
    [['list', 7], 'value', '3:3'],
    [['a', 'b', 'c'], 'value', '1:4'],
  ])('%j, its %s: %s', (path, of, place) => {
    const { line, column } = source.place(path, of);
    expect(`${line}:${column}`).toBe(place);
  });

  test('lines that end as on Windows count once', () => {
    expect(parsed('a: 1\r\nb: 2\r\n').place(['b'])).toEqual({ line: 2, column: 4 });
  });
});

test.each(['.inf', '-.inf', '.nan', '1e999', '-1e999'])('%s is no number of JSON', (number) => {
  expect(told(`a: 1\nb: { "<": [{ var: profile.age }, ${number}] }\n`)).toEqual([
    expect.stringMatching(/^a\.yaml:2:34: This is no number that JSON has/),
  ]);
  expect(told(`a: "${number}"\n`)).toEqual([]);
});

describe('bytes that are no text', () => {
  test.each<[string, Uint8Array, string]>([
    ['a stray byte', Buffer.from([0x61, 0x3a, 0x0a, 0x20, 0x20, 0xff, 0x0a]), '2:3'],
    ['half a character at the end', Buffer.from([0x61, 0x3a, 0x20, 0xc3]), '1:4'],
    ['UTF-16', Buffer.from('\ufeffa: 1', 'utf16le'), '1:1'],
  ])('%s', (_, text, place) => {
    expect(told(text)).toEqual([`a.yaml:${place}: The file is not UTF-8 from here on. Save it in that encoding.`]);
  });
});

describe('limits', () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  const tooDeep = `Maps and lists are nested too deeply: ${NESTING_MAX} levels are read.`;

  test('nesting', () => {
    expect(told(nested(NESTING_MAX))).toEqual([]);
    expect(told(nested(NESTING_MAX + 1))).toEqual([`a.yaml:1:${NESTING_MAX + 1}: ${tooDeep}`]);
    expect(told(`a: &a ${nested(NESTING_MAX - 2)}\nb: [[*a]]\n`)).toEqual([`a.yaml:1:1: ${tooDeep}`]);
  });

  test.each([
    ['brackets', '['.repeat(20_000)],
    ['dashes', '- '.repeat(20_000)],
    ['keys', Array.from({ length: 400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ])('nesting beyond the stack: %s', (_, text) => {
    // A stack overflow within the YAML library would end the process, not throw.
    expect(told(text)).toEqual([expect.stringContaining(tooDeep)]);
  });

  test('aliases', () => {
    const uses = (count: number): string => `a: &a x\nb: [${Array(count).fill('*a').join(',')}]\n`;
    expect(told(uses(ALIASES_MAX))).toEqual([]);
    expect(told(uses(ALIASES_MAX + 1))).toEqual([
      `a.yaml:1:1: Aliases (*…) are used more than ${ALIASES_MAX} times. Write the values out.`,
    ]);
  });

  test('aliases of aliases', () => {
    const ten = (name: string): string => `[${Array(10).fill(`*${name}`).join(',')}]`;
    expect(told(`a: &a [1,1]\nb: &b ${ten('a')}\nc: &c ${ten('b')}\nd: &d ${ten('c')}\ne: ${ten('d')}\n`)).toHaveLength(
      1,
    );
  });
});

test('no text and no bytes make it throw', () => {
  const yamlish = fc.array(
    fc.constantFrom(...'abc: -?[]{}&*!|>\'"%@`#\n\t,0\\~<'.split(''), '---', '...', '%YAML', '\ufeff', ' a: &a', '*a'),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        yamlish.map((parts) => bytes(parts.join(''))),
      ),
      (content) => {
        const result = parseSource('a.yaml', content);
        if (!(result instanceof Source)) {
          expect(result.length).toBeGreaterThan(0);
          for (const { line, column } of result) expect(Math.min(line, column)).toBeGreaterThanOrEqual(1);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
