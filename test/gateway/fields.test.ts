import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Fields, fieldsOf } from '../../src/gateway/fields.ts';

const NAMES = Object.keys(fieldsOf({ rawHeaders: [], headers: {} })) as (keyof Fields)[];

/** As node:http has it, with its own object of headers. */
function received(rawHeaders: string[]): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  // What its parser calls.
  (message as unknown as { _addHeaderLines(lines: string[], count: number): void })._addHeaderLines(
    rawHeaders,
    rawHeaders.length,
  );
  return message;
}

const spellings = (name: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    name,
    name.toUpperCase(),
    name.replace(/^./, (first) => first.toUpperCase()),
  );
const names = fc.oneof(
  fc.constantFrom(...NAMES),
  // Of the same lengths, and of any.
  fc.constantFrom(
    'date',
    'accept',
    'expect',
    'upgrade',
    'connection',
    'accept-charset',
    'max-forwards',
    'accept-encoding',
  ),
  fc.string({ unit: fc.constantFrom('a', 'c', 'h', 'o', 'x', '-', '0'), minLength: 1, maxLength: 20 }),
);
const headers = fc.array(fc.tuple(names.chain(spellings), fc.constantFrom('', 'a', 'b, c', 'd; e')), { maxLength: 14 });

test('they are what node:http reads, in any spelling and any number', () => {
  fc.assert(
    fc.property(headers, (lines) => {
      const message = received(lines.flat());
      const wanted = Object.fromEntries(NAMES.map((name) => [name, message.headers[name]]));
      expect(fieldsOf(message)).toEqual(wanted);
    }),
    { numRuns: 1_000 },
  );
});

test('the object of all headers is not asked for where each comes once', () => {
  const head = {
    rawHeaders: NAMES.flatMap((name) => [name, `value of ${name}`]),
    get headers(): never {
      throw new Error('It was asked for.');
    },
  };
  expect(fieldsOf(head)).toEqual(Object.fromEntries(NAMES.map((name) => [name, `value of ${name}`])));
});
