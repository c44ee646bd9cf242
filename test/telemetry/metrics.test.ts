import { describe, expect, test } from 'vitest';
import { METRICS, type MetricSpec } from '../../src/telemetry/metrics.ts';
import { textOf } from '../support/sources.ts';

const specs: readonly MetricSpec[] = Object.values(METRICS);
const rowOf = ({ name, type, labels, help }: MetricSpec): string =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;

describe('docs/operations.md', () => {
  const rows = textOf('docs/operations.md')
    .split('\n')
    .filter((line) => line.startsWith('| `weir_'));

  test('lists every metric as it is, and no other', () => {
    expect(rows).toEqual(specs.map(rowOf));
  });
});

test.each(specs)('$name is named as Prometheus names metrics', ({ name, type, help, labels }) => {
  expect(name).toMatch(/^weir_[a-z]+(_[a-z]+)*$/);
  expect(name.endsWith('_total')).toBe(type === 'counter');
  if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes)$/);
  expect(help).toMatch(/^[A-Z1][^\n]*\.$/);
  // Prometheus has these for itself.
  for (const label of labels) expect(['le', 'quantile', 'instance', 'job']).not.toContain(label);
});
