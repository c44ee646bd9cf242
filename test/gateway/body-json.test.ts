import { describe, expect, test } from 'vitest';
import { checkContentType, DEPTH_MAX, parseBody, VALUES_MAX } from '../../src/gateway/body-json.ts';
import { problemOf } from '../support/problems.ts';

describe('content types', () => {
  test.each([
    'application/json',
    'text/plain; charset=UTF-8',
    'text/plain;charset=utf-8',
    'text/plain',
    'text/javascript',
    'Application/JSON ; charset="utf-8"',
    'application/json;',
  ])('%s is taken', (header) => {
    checkContentType(header);
  });

  test.each<[string | undefined, string]>([
    [undefined, 'EXEG-0106-400'],
    ['', 'EXEG-0106-400'],
    ['json', 'EXEG-0106-400'],
    ['application/', 'EXEG-0106-400'],
    ['/json', 'EXEG-0106-400'],
    ['application/json, text/plain', 'EXEG-0106-400'],
    ['; charset=utf-8', 'EXEG-0106-400'],
    ['text/html', 'EXEG-0111-415'],
    ['application/xml; charset=utf-8', 'EXEG-0111-415'],
    ['multipart/form-data; boundary=x', 'EXEG-0111-415'],
    ['application/x-www-form-urlencoded', 'EXEG-0111-415'],
    ['application/x-jackson-smile', 'EXEG-0111-415'],
    ['application/json5', 'EXEG-0111-415'],
  ])('%j is %s, and the answer lists what is', (header, code) => {
    const { spec, detail } = problemOf(() => checkContentType(header));
    expect(spec.code).toBe(code);
    expect(detail).toContain('application/json, text/plain, text/javascript');
  });
});

const parse = (text: string) => parseBody(Buffer.from(text));
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('bodies', () => {
  test('JSON in UTF-8', () => {
    expect(parse('{"a":[1,"ä€😀",null]}')).toEqual({ a: [1, 'ä€😀', null] });
    expect(parse(' \n{ } ')).toEqual({});
  });

  test('an empty one is 0109', () => {
    expect(problemOf(() => parse('')).spec.code).toBe('EXEG-0109-408');
  });

  test.each<[string, string]>([
    ['{', 'position 1'],
    ['{"a":1', ''],
    ['{"a":', 'ends too early'],
    ['{"a":1,}', ''],
    ['{"a":}', ''],
    ['{"events":[{"xdm":{"a":}}]}', ''],
    ["{'a':1}", ''],
    ['{"a":1}}', ''],
    ['a', ''],
    ['   ', ''],
    ['undefined', ''],
    ['{"a":"\u0001"}', ''],
    ['\ufeff{}', ''],
    ['datastream=1&b=2', ''],
  ])('%j is 0101, told without quoting it', (body, word) => {
    const { spec, detail } = problemOf(() => parse(body));
    expect(spec.code).toBe('EXEG-0101-400');
    expect(detail).toContain(word);
    expect(detail).not.toContain('events');
    expect(detail).not.toContain('datastream');
  });

  test('the place is told where it is known, and never a wrong one', () => {
    expect(problemOf(() => parse('{"a":1 "b":2}')).detail).toContain('position 7');
    expect(problemOf(() => parse('{"events":[{"xdm":{"a":}}]}')).detail).toContain('the character "}"');
    expect(problemOf(() => parse("{'a':1}")).detail).toMatch(/position 1|"'"/);
  });

  test.each<[string, number[]]>([
    ['a continuation byte alone', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate half', [0xed, 0xa0, 0x80]],
    ['a cut sequence', [0xe2, 0x82]],
    ['gzip', [0x1f, 0x8b, 0x08, 0x00]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00]],
  ])('broken UTF-8 is 0101: %s', (_what, bytes) => {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')]);
    const { spec, detail } = problemOf(() => parseBody(body));
    expect(spec.code).toBe('EXEG-0101-400');
    expect(detail).toContain('UTF-8');
  });

  test(`${DEPTH_MAX} levels are taken, one more is 0102`, () => {
    parse(nested(DEPTH_MAX));
    expect(problemOf(() => parse(nested(DEPTH_MAX + 1))).spec.code).toBe('EXEG-0102-400');
    const objects = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
    parse(objects(DEPTH_MAX));
    expect(problemOf(() => parse(objects(DEPTH_MAX + 1))).spec.code).toBe('EXEG-0102-400');
    expect(DEPTH_MAX).toBe(64);
  });

  test.each<[string, (values: number) => string]>([
    ['members of an array', (values) => `[${'0,'.repeat(values - 2)}0]`],
    ['keys of an object', (values) => `{${Array.from({ length: values - 1 }, (_, i) => `"${i}":0`).join(',')}}`],
    ['both, on several levels', (values) => `[{"a":[[${'{},'.repeat(values - 5)}{}]]}]`],
  ])(`${VALUES_MAX} values are taken, one more is 0112: %s`, (_what, made) => {
    parse(made(VALUES_MAX));
    const { spec, detail } = problemOf(() => parse(made(VALUES_MAX + 1)));
    expect(spec.code).toBe('EXEG-0112-413');
    expect(detail).toContain(String(VALUES_MAX));
  });

  test.each(['1e309', '-1e309', '1e999999'])('the number %s, which is kept nowhere, is 0102', (number) => {
    for (const body of [number, `{"a":[{"b":${number}},{}]}`, `[${nested(DEPTH_MAX)},${number}]`]) {
      const { spec, detail } = problemOf(() => parse(body));
      expect(spec.code).toBe('EXEG-0102-400');
      expect(detail).toContain('larger than 1.8e308');
    }
    expect(parse('[1.7976931348623157e308,-1e308,1e-400,"1e309"]')).toHaveLength(4);
  });

  test('constructor and its like are a customer’s data', () => {
    const text = '{"constructor":{"prototype":{"polluted":1}},"toString":2,"hasOwnProperty":null}';
    expect(JSON.stringify(parse(text))).toBe(text);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('as deep as a body can be, nothing overflows', () => {
    expect(problemOf(() => parse(nested(32_768))).spec.code).toBe('EXEG-0102-400');
    expect(parse(`{"\\u005f_proto__":${nested(32_000)}}`)).toEqual({});
  });

  test('__proto__ is dropped, however it is spelt', () => {
    for (const key of ['__proto__', '\\u005f_proto__', '__pr\\u006Fto__']) {
      const value = parse(`{"a":{"${key}":{"polluted":1},"b":2}}`);
      expect(JSON.stringify(value)).toBe('{"a":{"b":2}}');
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
