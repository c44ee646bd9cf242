import { expect, test } from 'vitest';
import { PRINTABLE_CHARACTERS_MAX as MAX, printable } from '../../src/model/printable.ts';
import { problem } from '../../src/model/problem.ts';

const half = '\ud83d';

test.each([
  ['plain words stay as they are: é 😀 "quoted"', 'plain words stay as they are: é 😀 "quoted"'],
  ['a\u0000b\r\nc\u007f\u0085', 'a\\u0000b\\u000d\\u000ac\\u007f\\u0085'],
  ['\ufeff\u200b\u2060', '\\ufeff\\u200b\\u2060'],
  ['\u2028\u2029\u202e\u2066\u200f', '\\u2028\\u2029\\u202e\\u2066\\u200f'],
  [`${half}… and \ude00`, '\\ud83d… and \\ude00'],
  ['x'.repeat(MAX), 'x'.repeat(MAX)],
  ['x'.repeat(MAX + 1), `${'x'.repeat(MAX - 1)}…`],
  ['\u0000'.repeat(MAX / 5), `${'\\u0000'.repeat(MAX / 5).slice(0, MAX - 1)}…`],
  [`${'x'.repeat(MAX - 2)}😀😀`, `${'x'.repeat(MAX - 2)}…`],
  ['', ''],
])('%j', (text, shown) => {
  expect(printable(text)).toBe(shown);
  expect(printable(text).length).toBeLessThanOrEqual(MAX);
});

test('the detail of a problem is printable, whatever it quotes', () => {
  const failure = problem('EXEG-0003-400', `There is no datastream with the id '\n${half}'.`);
  expect(failure.toJson({})['detail']).toBe("There is no datastream with the id '\\u000a\\ud83d'.");
});
