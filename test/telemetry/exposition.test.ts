import { expect, test } from 'vitest';
import { Exposition } from '../../src/telemetry/exposition.ts';
import { Histogram } from '../../src/telemetry/histogram.ts';

test('counters and gauges, their labels escaped', () => {
  const out = new Exposition();
  const spec = { name: 'weir_x_total', type: 'counter', help: 'Two\nlines, a \\.', labels: ['a', 'b'] } as const;
  out.family(spec, [
    [1, 'plain', 'q"uote'],
    [2.5, 'back\\slash', 'new\nline'],
  ]);
  expect(out.text).toBe(
    [
      '# HELP weir_x_total Two\\nlines, a \\\\.',
      '# TYPE weir_x_total counter',
      'weir_x_total{a="plain",b="q\\"uote"} 1',
      'weir_x_total{a="back\\\\slash",b="new\\nline"} 2.5',
      '',
    ].join('\n'),
  );
});

test.each([
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
  [Number.NaN, 'NaN'],
  [1e21, '1e+21'],
  [-0.5, '-0.5'],
])('the number %s is written %s', (value, text) => {
  const out = new Exposition();
  out.family({ name: 'weir_x', type: 'gauge', help: 'X.', labels: [] }, [[value]]);
  expect(out.text.split('\n')[2]).toBe(`weir_x ${text}`);
});

test('a histogram counts up to each bound, the bound included', () => {
  const histogram = new Histogram([0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.5, 1, 2]) histogram.observe(seconds);
  const out = new Exposition();
  out.histogram({ name: 'weir_x_seconds', type: 'histogram', help: 'X.', labels: [] }, histogram);
  expect(out.text.split('\n').slice(2, -1)).toEqual([
    'weir_x_seconds_bucket{le="0.1"} 2',
    'weir_x_seconds_bucket{le="1"} 4',
    'weir_x_seconds_bucket{le="+Inf"} 5',
    'weir_x_seconds_sum 3.65',
    'weir_x_seconds_count 5',
  ]);
});
