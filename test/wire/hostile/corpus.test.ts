import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { converse } from '../../support/conversation.ts';
import { startWeir, type Weir } from '../../support/weir.ts';
import { CORPUS } from './corpus.ts';
import { markOfId, marksOf, saidOf } from './said.ts';

/** Every case of the corpus, sent to a listening server on a connection of its own, with nothing in between. */

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir();
});
afterAll(() => weir.stop());

const cases = Object.entries(CORPUS).flatMap(([about, some]) => some.map((one) => ({ about, one })));
const stored: string[] = [];

describe.each(Object.keys(CORPUS))('%s', (about) => {
  const some = cases.map(({ about, one }, index) => ({ about, said: saidOf(one, index, 'd') }));
  test.each(some.filter((one) => one.about === about).map(({ said }) => [said.name, said] as const))(
    '%s',
    async (_name, { id, bytes, heads, statuses, afterwards }) => {
      const say = () =>
        converse(weir.edge, {
          bytes,
          heads,
          end: afterwards === 'sees the end',
          isEnough: (heard) => marksOf(heard).includes(`${id}z`),
        });
      let heard = await say();
      // A busy machine puts good requests off: then all is said again, and stored once.
      while (!statuses.includes(503) && heard.answers.some(({ status }) => status === 503)) heard = await say();
      const { answers, rest, isClosed } = heard;
      const marks = marksOf(answers);
      const goesOn = afterwards === 'goes on';
      expect(answers.map(({ status }) => status)).toEqual(goesOn ? [...statuses, 200] : statuses);
      expect(rest).toBe('');
      expect(isClosed).toBe(!goesOn);
      expect(marks.includes(`${id}x`)).toBe(false);
      const last = answers.at(-1);
      if (!goesOn && last !== undefined) {
        expect(last.headers.get('connection')).toBe('close');
        if (last.status >= 400 && last.body !== '')
          expect(JSON.parse(last.body)).toMatchObject({ status: last.status });
      }
      // In the order in which they were sent, and each once.
      expect(marks).toEqual([...new Set(marks)].sort());
      for (const { status, headers } of answers)
        if (status === 200) stored.push(markOfId(headers.get('x-request-id')!)!);
    },
  );
});

test('the log holds the requests that were answered with 200, and no other; each has its own body', async () => {
  const events = await weir.events();
  expect(events.filter(({ xdm, record }) => xdm['marker'] !== markOfId(record.requestId))).toEqual([]);
  expect(events.map(({ xdm }) => xdm['marker']).sort()).toEqual(stored.sort());
});

test('the corpus is as large as it is said to be', () => {
  expect(cases.length).toBeGreaterThanOrEqual(150);
});
