import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Outlet } from '../../src/gateway/outlet.ts';
import { type Answerable, replyTo, respondProblem, retryAfterSeconds, send } from '../../src/gateway/respond.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { type ProblemCode, problem } from '../../src/model/problem.ts';
import { Random } from '../sim/random.ts';
import { exchangeOf, OWN_REGION } from '../support/exchanges.ts';
import { decodeAnswer, decodeStream } from '../support/strict-decoder.ts';

/** An answer that is kept instead of sent. */
function answering(fields: Partial<Answerable> = {}) {
  const kept = { status: 0, headers: {} as OutgoingHttpHeaders, body: '' };
  const res = {
    on() {},
    writeHead(status: number, headers: string[]) {
      kept.status = status;
      for (let i = 0; i < headers.length; i += 2) kept.headers[headers[i]!] = headers[i + 1];
    },
    end(body = '') {
      kept.body = body;
    },
  };
  const to: Answerable = {
    outlet: Outlet.of(res as unknown as ServerResponse),
    status: null,
    requestId: 'request-0123456789abcdef',
    role: 'edge',
    origin: null,
    encrypted: false,
    region: OWN_REGION,
    datastream: null,
    unitsLeft: null,
    closing: false,
    ...fields,
  };
  return { kept, to };
}

test.each([
  [null, undefined],
  [0, '0'],
  [3999, '3999'],
])('request units left: %s, x-rate-limit-remaining: %s', (unitsLeft, wanted) => {
  const { kept, to } = answering({ unitsLeft });
  send(to, replyTo(exchangeOf(), 200), null);
  expect(kept.headers['x-rate-limit-remaining']).toBe(wanted);
});

describe('x-weir-ack', () => {
  test.each([
    ['edge', 'local-fsync'],
    ['server', 'local-fsync; position=3:7'],
  ] as const)('on the %s role: %s', (role, wanted) => {
    const { kept, to } = answering({ role });
    send(to, replyTo(exchangeOf(), 200), { partition: 3, offset: 7 });
    expect(kept.headers['x-weir-ack']).toBe(wanted);
  });

  test('not where nothing was appended', () => {
    const { kept, to } = answering();
    send(to, replyTo(exchangeOf(), 200), null);
    expect(kept.headers['x-weir-ack']).toBeUndefined();
  });
});

describe('strict transport', () => {
  test.each([
    [true, 'max-age=31536000; includeSubDomains'],
    [false, undefined],
  ])('encrypted %s: %s', (encrypted, wanted) => {
    const { kept, to } = answering({ encrypted });
    send(to, replyTo(exchangeOf(), 200), null);
    expect(kept.headers['strict-transport-security']).toBe(wanted);
  });
});

describe('Retry-After', () => {
  const retryAfterOf = (code: ProblemCode) => {
    const { kept, to } = answering();
    respondProblem(to, problem(code, 'x'));
    return kept.headers['retry-after'];
  };

  test('whole seconds from 2 to 10, spread, for what may be tried again', () => {
    const seen = new Set(Array.from({ length: 500 }, () => retryAfterOf('EXEG-0000-503')));
    expect([...seen].map(Number).sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (const code of ['EXEG-0200-504', 'EXEG-0202-502'] as const) expect(retryAfterOf(code)).toMatch(/^([2-9]|10)$/);
  });

  test('each for an equal part of the chances', () => {
    const random = new Random(1);
    const times = new Array<number>(11).fill(0);
    for (let i = 0; i < 90_000; i++) times[retryAfterSeconds(random.next() / 2 ** 32)]! += 1;
    expect(times.slice(0, 2)).toEqual([0, 0]);
    for (const count of times.slice(2)) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  test.each(['EXEG-0001-500', 'EXEG-0101-400', 'EXEG-0109-408', 'EXEG-0500-401', 'EXEG-0004-422'] as const)(
    'none for %s',
    (code) => {
      expect(retryAfterOf(code)).toBeUndefined();
    },
  );
});

/** Whatever stands in them, mobile clients cut a streamed answer into the fragments that it was made of. */
test('a streamed answer is what the plain one is, in fragments', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  const handle = fc.record({
    type: fc.constant('consent:preferences'),
    payload: fc.array(fc.dictionary(text, fc.oneof(text, fc.integer()), { maxKeys: 3, noNullPrototype: true }), {
      maxLength: 3,
    }),
  });
  const details = fc.array(text, { maxLength: 3 });
  const shape = fc.record({ handles: fc.array(handle, { maxLength: 4 }), errors: details, warnings: details });
  fc.assert(
    fc.property(shape, ({ handles, errors, warnings }) => {
      const parts = {
        handles,
        errors: errors.map((detail) => problem('EXEG-0200-504', detail)),
        warnings: warnings.map((detail) => problem('EXEG-0204-200', detail)),
      };
      const bodyOf = (meta: JsonObject) => {
        const { status, body } = replyTo(exchangeOf({ ...parts, received: { meta } }), 200);
        expect(status).toBe(errors.length > 0 ? 207 : 200);
        return body!;
      };
      const streamed = decodeStream(Buffer.from(bodyOf({ konductorConfig: { streaming: { enabled: true } } })));
      const fragments = 1 + Number(errors.length > 0) + Number(warnings.length > 0);
      expect(streamed.fragments).toHaveLength(fragments);
      expect(streamed.answer).toEqual(decodeAnswer(JSON.parse(bodyOf({}))));
    }),
    { numRuns: 500 },
  );
});
