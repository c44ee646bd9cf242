import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLAIN_CONSENT } from '../src/model/consent-in-force.ts';
import type { StoredNotice } from '../src/model/decision.ts';
import { claimsText } from '../src/model/decision-token.ts';
import { identitiesOf } from '../src/model/identity.ts';
import type { JsonObject } from '../src/model/json.ts';
import type { LogRecord, StoredEvent } from '../src/model/record.ts';
import { reportActivity } from '../src/reporting.ts';
import { keepDefinitions, writeLog } from '../test/support/data-folder.ts';
import { activityOf, definitionsOf, ecidOf, experienceOf, itemOf } from '../test/support/decisions.ts';

/**
 * What `weir report` costs: `node scripts/typescript.mjs bench/report.ts [EVENTS]`. A third of the events decide, a third tell
 * of the display, a tenth are purchases, the others page views; bodies of 1 KB; a visitor for every six events.
 */

const ORG = 'A@AdobeOrg';
const count = Number(process.argv[2] ?? 300_000);
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 1);
const FILLER = 'x'.repeat(600);

const definitions = definitionsOf({
  orgId: ORG,
  activities: [
    activityOf('hero', {
      experiences: [experienceOf('a', [itemOf('hero')]), experienceOf('b', [itemOf('hero')])],
      goals: [
        {
          ...{ id: 'revenue', name: 'Revenue', windowMs: 7 * DAY_MS, count: 'sum', value: 'xdm.total' },
          when: { '==': [{ var: 'xdm.eventType' }, 'commerce.purchases'] },
        },
      ],
    }),
  ],
});

function recordOf(i: number): LogRecord {
  const visitor = Math.floor(i / 6);
  const ecid = ecidOf(visitor);
  const requestId = `00000000-0000-4000-8000-${String(i).padStart(12, '0')}-0123456789abcdef`;
  const atMs = START_MS + Math.floor((i / count) * 20 * DAY_MS);
  const kind = i % 3 === 0 ? 'decide' : i % 3 === 1 ? 'tell' : i % 10 < 3 ? 'buy' : 'look';
  const sent: JsonObject = {
    eventType: kind === 'buy' ? 'commerce.purchases' : 'web.webpagedetails.pageViews',
    identityMap: { ECID: [{ id: ecid }] },
    web: { webPageDetails: { URL: 'https://shop.example/', name: FILLER } },
    ...(kind === 'buy' ? { total: 20 } : {}),
  };
  const body = { events: [{ xdm: sent }], meta: { state: { domain: 'shop.example' } } };
  const event: StoredEvent = {
    ...{ id: `${requestId}/0`, dedupKey: requestId, payloadHash: requestId, index: 0, data: null, query: null },
    ...{ meta: null, xdm: sent, identities: identitiesOf(sent), consent: PLAIN_CONSENT, added: null },
    ...{ occurredAtMs: atMs, occurredAtFrom: 'timestamp' as const },
  };
  const experienceId = visitor % 2 === 0 ? 'a' : 'b';
  const claims = { requestId: `r${i - 1}`, eventIndex: 0, activityId: 'hero', experienceId, scope: 'hero' };
  const t = claimsText({ ...claims, atSeconds: Math.floor(atMs / 1000), isPreview: false, isBot: false });
  const notices: readonly StoredNotice[] | null = kind === 'tell' ? [{ i: 0, k: 'display', t }] : null;
  return {
    ...{ requestId, atMs, orgId: ORG, datastreamId: 'shop', path: '/v1/interact', ecid, meta: body.meta },
    ...{ events: [event], raw: new TextEncoder().encode(JSON.stringify(body)), changes: [], notices },
    decisions:
      kind === 'decide'
        ? [{ i: 0, h: 'h', seed: '0'.repeat(32), in: {}, v: [['hero', 'shown', experienceId, 1, '', null]], p: [] }]
        : null,
  };
}

function* records(): Generator<LogRecord> {
  for (let i = 0; i < count; i++) yield recordOf(i);
}

const data = mkdtempSync(join(tmpdir(), 'weir-bench-'));
try {
  await writeLog(data, records());
  keepDefinitions(data, definitions);
  const before = process.cpuUsage();
  const startMs = performance.now();
  const made = await reportActivity({
    credit: 'display',
    ...{ data, workspace: null, activityId: 'hero', orgId: null, range: { from: null, to: null } },
    ...{ report: console.error, signal: new AbortController().signal },
  });
  const wallMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  const perMillion = (value: number): string => ((value / count) * 1e6).toFixed(1);
  globalThis.gc?.();
  const heapMb = process.memoryUsage().rss / 2 ** 20;
  console.log(made.table().split('\n').slice(-8).join('\n'));
  console.log(
    `${count} events of ${Math.ceil(count / 6)} visitors: ${perMillion(wallMs / 1000)} s a million events, ${perMillion((user + system) / 1e6)} s CPU; ${heapMb.toFixed(0)} MB resident at the end`,
  );
} finally {
  rmSync(data, { recursive: true, force: true });
}
