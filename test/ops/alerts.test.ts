import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { pathOf } from '../../scripts/lib/tools.mjs';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { makeCertificate } from '../support/certificate.ts';
import { Metrics } from '../support/metrics.ts';
import { post, send } from '../support/raw-http.ts';
import { ROOT, textOf } from '../support/sources.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/** The rules and the dashboard that ship, held against Prometheus's own tools and a server's real metrics. */

const RULES = 'ops/prometheus/weir.rules.yaml';
const DASHBOARD = 'ops/grafana/weir.json';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action: string };
}
const rules: readonly Rule[] = parse(textOf(RULES)).groups.flatMap((group: { rules: Rule[] }) => group.rules);

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets: readonly { readonly expr: string }[];
  }[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}
const dashboard: Dashboard = JSON.parse(textOf(DASHBOARD));
const expressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }) => expr),
  ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
];
const metricsIn = (expr: string): readonly string[] => expr.match(/\bweir_[a-z_]+/g) ?? [];

async function promtool(
  args: readonly string[],
  input = '',
  cwd = ROOT,
): Promise<{ code: number | null; said: string }> {
  const child = execFile(pathOf('promtool'), args, { cwd });
  let said = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (text: string) => {
      said += text;
    });
  }
  child.stdin!.end(input);
  const [code] = await once(child, 'close');
  return { code, said };
}

let weir: Weir;
let text: string;
let real: Metrics;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-alerts-'));
  const { cert, key } = makeCertificate(folder, ['edge.test']);
  weir = await startWeir({
    'weir.yaml': 'listeners: { tlsPort: 0, tlsCert: tls/cert.pem, tlsKey: tls/key.pem }\n',
    'tls/cert.pem': readFileSync(cert, 'utf8'),
    'tls/key.pem': readFileSync(key, 'utf8'),
  });
  rmSync(folder, { recursive: true });
  await post(weir.edge, '/ee/v1/interact?configId=shop', { events: [{ xdm: {} }] });
  await post(weir.edge, '/ee/v1/interact?configId=shop', {});
  text = (await send(weir.running.urls.admin, { method: 'GET', path: '/metrics' })).text;
  real = new Metrics(text);
});
afterAll(() => weir.stop());

describe('a server’s metrics', () => {
  test('are what promtool takes without a complaint', async () => {
    expect(await promtool(['check', 'metrics'], text)).toEqual({ code: 0, said: '' });
  });

  test.each(Object.values(METRICS))('have $name, described, with a number', ({ name, type, help }) => {
    expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    expect(real.names).toContain(type === 'histogram' ? `${name}_bucket` : name);
  });

  test('have none that is not in the list', () => {
    const known: readonly string[] = Object.values(METRICS).map(({ name }) => name);
    const described = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(described.toSorted()).toEqual(known.toSorted());
  });
});

describe('the rules', () => {
  test('are valid, and their unit tests pass', async () => {
    expect(await promtool(['check', 'rules', RULES])).toMatchObject({ code: 0 });
    const tested = await promtool(['test', 'rules', 'weir.rules.test.yaml'], '', join(ROOT, 'ops/prometheus'));
    expect(tested).toMatchObject({ code: 0, said: expect.stringContaining('SUCCESS') });
  });

  const unitTests = textOf('ops/prometheus/weir.rules.test.yaml');

  test.each(rules)(
    '$alert: uses real metrics, says what to do, and is tested',
    ({ alert, expr, labels, annotations }) => {
      expect(metricsIn(expr).filter((name) => !real.names.has(name))).toEqual([]);
      expect(metricsIn(expr)).not.toEqual([]);
      expect(['page', 'ticket']).toContain(labels.severity);
      expect(annotations).toEqual({ summary: expect.any(String), action: expect.any(String) });
      expect(unitTests).toMatch(new RegExp(`alertname: ${alert}\\n +exp_alerts:`));
      expect(textOf('docs/operations.md')).toContain(`| ${alert} |`);
    },
  );

  test('a wrong threshold is noticed by the unit tests', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-rules-'));
    try {
      writeFileSync(
        join(folder, 'weir.rules.yaml'),
        textOf(RULES).replace('weir_log_queue_age_seconds > 1', 'weir_log_queue_age_seconds > 9'),
      );
      writeFileSync(join(folder, 'weir.rules.test.yaml'), unitTests);
      expect((await promtool(['test', 'rules', 'weir.rules.test.yaml'], '', folder)).code).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the dashboard', () => {
  test('asks only for metrics that a server has, in expressions that Prometheus reads', async () => {
    expect(expressions.flatMap(metricsIn).filter((name) => !real.names.has(name))).toEqual([]);
    const queries = expressions.filter((expr) => !expr.startsWith('label_values('));
    const records = queries.map((expr, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'),
    }));
    const folder = mkdtempSync(join(tmpdir(), 'weir-dashboard-'));
    try {
      const file = join(folder, 'panels.yaml');
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules: records }] }));
      expect(await promtool(['check', 'rules', file])).toMatchObject({ code: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('shows what the alerts are about', () => {
    const shown = new Set(expressions.flatMap(metricsIn));
    const quiet = ['weir_tls_certificate_rejected'];
    const alerted = rules.flatMap(({ expr }) => metricsIn(expr));
    expect(alerted.filter((name) => !shown.has(name) && !quiet.includes(name))).toEqual([]);
  });

  test('has panels with ids of their own, side by side', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});
