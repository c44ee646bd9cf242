/** Values at the edges of JSON, and just beyond it, each as it would stand in a body. */

const nested = (open: string, inner: string, close: string, depth: number): string =>
  open.repeat(depth) + inner + close.repeat(depth);

const NUMBERS = [
  '0',
  '-0',
  '-1',
  '1e400',
  '-1e400',
  '1e-400',
  '9007199254740993',
  '0.1e+1',
  '1E2',
  '99999999999999999999',
];
/** None of them is a number in JSON. */
const NEARLY_NUMBERS = ['01', '+1', '.5', '1.', '0x10', 'NaN', '-Infinity', '1_000', '１'];
const WORDS = ['null', 'true', 'false', 'True', 'nul', 'undefined', ''];
const TEXTS = [
  '""',
  '" "',
  '"\\u0000"',
  '"\\u0000a\\u001f\\u007f\\u0085\\u2028\\u202e"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"😀"',
  `"${'😀'.repeat(60)}"`,
  '"e\\u0301é"',
  '"\uFEFF"',
  '"</script><script>"',
  '"\'; drop table events; --"',
  '"{{constructor.constructor(1)()}}"',
  '"%00%0d%0aset-cookie: a=b"',
  '"\\r\\nset-cookie: a=b"',
  `"${'a'.repeat(5_000)}"`,
  '"1111111111111111111111111111111111111111"',
  `"${'1'.repeat(38)}"`,
  '"2026-02-30T25:61:61Z"',
  '"true"',
  '"__proto__"',
  '"https://www.shop.test/?a=\\ud83d"',
];
/** Escapes and quotes that do not end. */
const BROKEN_TEXTS = ['"\\u12"', '"\\x41"', '"a', "'a'", '"\n"', '"\u0000"', '"\\'];
const BRANCHES = [
  '{}',
  '[]',
  '[[]]',
  '{"":""}',
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":true}}',
  '{"\\u005f_proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toString":null,"valueOf":1,"hasOwnProperty":0,"toJSON":{}}',
  '{"length":1e9,"0":1}',
  '[{"id":"a"},{"id":"a"},{"id":""}]',
  nested('[', '1', ']', 60),
  nested('[', '', ']', 65),
  nested('{"a":', '1', '}', 64),
  nested('[', '', ']', 3_000),
  `[${Array.from({ length: 300 }, (_, i) => `{"id":"${i}"}`).join(',')}]`,
  `{${Array.from({ length: 400 }, (_, i) => `"k${i}":${i}`).join(',')}}`,
];
const UNBALANCED = ['[', '{', '}', ']', '{"a"}', '{"a":}', '[1,]', '{"a":1,}', '{,}', '/* */1', '1//', '{a:1}'];

export const EDGES: readonly string[] = [...NUMBERS, ...NUMBERS, ...TEXTS, ...TEXTS, ...BRANCHES, ...BRANCHES]
  .concat(['null', 'true', 'false', 'null'])
  .concat(NEARLY_NUMBERS.slice(0, 3), WORDS.slice(3), BROKEN_TEXTS.slice(0, 3), UNBALANCED.slice(0, 4));

/** Everything, for the table in which each stands alone in each place. */
export const ALL_EDGES: readonly string[] = [
  ...NUMBERS,
  ...NEARLY_NUMBERS,
  ...WORDS,
  ...TEXTS,
  ...BROKEN_TEXTS,
  ...BRANCHES,
  ...UNBALANCED,
];

/** Keys: those that mean something here, those that mean something to JavaScript, and some that mean nothing. */
export const NAMES: readonly string[] = [
  ...['events', 'event', 'xdm', 'data', 'meta', 'query', 'identityMap', 'consent', 'state', 'entries', 'domain'],
  ...['cookiesEnabled', 'configOverrides', 'konductorConfig', 'streaming', 'identity', 'fetch', 'id', 'primary'],
  ...['authenticatedState', 'timestamp', '_id', 'standard', 'version', 'value', 'collect', 'val', 'ECID', 'CORE'],
  ...['com_adobe_identity', 'enabled', 'operation', 'reason', 'eventType', 'key'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'toJSON', 'then', 'length', '', '0', ' '],
  'k'.repeat(300),
  'x'.repeat(30_000),
]
  .map((name) => JSON.stringify(name))
  .concat('"\\u0000\\n"', '"\\ud800"', '"\\u005f_proto__"', '"\uFEFF"', '"😀"', '"a.b[0]"');
