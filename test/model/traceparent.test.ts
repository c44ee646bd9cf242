import { expect, test } from 'vitest';
import { parseTraceparent } from '../../src/model/traceparent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

// W3C Trace Context, level 1, with its example.
test.each<[string, string, number]>([
  ['recorded', `00-${TRACE}-${SPAN}-01`, 1],
  ['not recorded', `00-${TRACE}-${SPAN}-00`, 0],
  ['flags that have no meaning yet', `00-${TRACE}-${SPAN}-fe`, 0],
  ['both', `00-${TRACE}-${SPAN}-ff`, 1],
  ['a later version', `cc-${TRACE}-${SPAN}-01`, 1],
  ['a later version that says more', `cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, 1],
  ['white space around', ` 00-${TRACE}-${SPAN}-01\t`, 1],
])('%s', (_what, header, flags) => {
  expect(parseTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, flags });
});

test.each<[string, string | undefined]>([
  ['none', undefined],
  ['empty', ''],
  ['text', 'a trace'],
  ['the version that is none', `ff-${TRACE}-${SPAN}-01`],
  ['version 00 with more behind', `00-${TRACE}-${SPAN}-01-more`],
  ['a later version with more and no dash', `cc-${TRACE}-${SPAN}-01.more`],
  ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['no parent', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
  ['a long parent', `00-${TRACE}-${SPAN}0-01`],
  ['without flags', `00-${TRACE}-${SPAN}`],
  ['two of them', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
  ['very long', `cc-${TRACE}-${SPAN}-01-${'x'.repeat(500)}`],
])('%s is no traceparent', (_what, header) => {
  expect(parseTraceparent(header)).toBeNull();
});
