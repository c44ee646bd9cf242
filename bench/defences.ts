import { Admission } from '../src/gateway/admission.ts';
import { checkContentType, parseBody } from '../src/gateway/body-json.ts';
import { isAllowed } from '../src/gateway/cors.ts';
import { Deadlines } from '../src/gateway/deadlines.ts';
import { framingFault } from '../src/gateway/framing.ts';
import { RequestUnits } from '../src/gateway/request-units.ts';
import { TrustedProxies } from '../src/net/proxies.ts';
import { isPublicSuffix } from '../src/net/public-suffix.ts';
import { Counters, fatesOf } from '../src/telemetry/counters.ts';
import { datastreamOf, eventOf } from '../test/support/exchanges.ts';
import { machine } from './baseline.ts';
import { pageView } from './inputs.ts';

/**
 * What the defences cost a good request: CPU of each, called alone in a loop, and their sum (`npm run bench:defences`). None of
 * them can be switched off, so there is no server without them to compare with. The best of nine rounds, because whatever else
 * runs on the machine only adds (of the body, the median of what it takes beyond its parsing); the parsing of the same body stands beside it, to compare with other machines and days.
 *
 * Left out is what only slows hostile clients down: limits that node:http enforces, and counters of a connection (an addition
 * and a comparison each).
 */
const ROUNDS = 9;
const CALLS = 50_000;
/** The bar. */
const SUM_MICROSECONDS_MAX = 3;

const body = Buffer.from(JSON.stringify(pageView([])));
const text = body.toString();
const rawHeaders = [
  ...['Host', 'data.shop.test', 'Connection', 'keep-alive', 'Content-Length', String(body.length)],
  ...['sec-ch-ua-platform', '"Windows"', 'User-Agent', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36'],
  ...['Content-Type', 'text/plain; charset=UTF-8', 'Accept', '*/*', 'Origin', 'https://www.shop.test'],
  ...['Referer', 'https://www.shop.test/', 'Accept-Encoding', 'gzip, deflate, br, zstd', 'Accept-Language', 'en-US'],
];
const head = { method: 'POST', url: '/ee/v1/interact?configId=bench', httpVersion: '1.1', rawHeaders };
const limits = { interact: 1_000_000, collect: 1_000_000 };
const datastream = datastreamOf({ origins: new Set(['https://www.shop.test']) });
const admission = new Admission(
  { waitMs: 1, queueBytes: 1000 },
  { deadlineMs: 2000, queueAgeMsMax: 2000, queueBytesMax: 1e8 },
);
let nowMs = 0;
const units = new RequestUnits(() => nowMs);
const proxies = new TrustedProxies(['10.0.0.0/8']);
const sender = {
  host: 'data.shop.test',
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': undefined,
};
const counters = new Counters(0);
const fates = fatesOf([eventOf({})]);
const perOrg = { orgId: 'BENCH@AdobeOrg', ...limits };

const deadlines = new Deadlines(() => performance.now());
const due = { expire: never };
const parse = microseconds(() => JSON.parse(text));

const costs: Readonly<Record<string, number>> = {
  'requests that two readers read in two ways': microseconds(() => framingFault(head)),
  'the body: UTF-8, __proto__, depth and values': beyond(
    () => parseBody(body),
    () => JSON.parse(body.toString('utf8')),
  ),
  'the content type': microseconds(() => checkContentType('text/plain; charset=UTF-8')),
  'addresses behind a proxy': microseconds(() => proxies.resolve('10.0.0.1', sender, false)),
  'pages of others': microseconds(() => isAllowed('https://www.shop.test', datastream)),
  'public suffixes': microseconds(() => isPublicSuffix('shop.test')),
  'more than the disk takes': microseconds(() => admission.refusal('interact')),
  'request units': microseconds(() => {
    nowMs += 1;
    units.charge(perOrg, 'interact', body.length);
  }),
  'the deadline': microseconds(() => deadlines.end(deadlines.begin(due, performance.now() + 2_000))),
  'the ledger': microseconds(() => counters.ledger.settle(datastream, 60_000, fates, true, null)),
};

console.log(`${machine()}, a body of ${body.length} bytes, whose JSON.parse takes ${parse.toFixed(1)} µs`);
for (const [name, cost] of Object.entries(costs)) console.log(`${cost.toFixed(2).padStart(6)} µs  ${name}`);
const sum = Object.values(costs).reduce((all, one) => all + one, 0);
console.log(
  `${sum.toFixed(2).padStart(6)} µs  together; bar ${SUM_MICROSECONDS_MAX}: ${sum <= SUM_MICROSECONDS_MAX ? 'met' : 'missed'}`,
);

function never(): void {
  throw new Error('A deadline has come that was met.');
}

function microseconds(call: () => unknown): number {
  return Math.min(...Array.from({ length: ROUNDS }, () => round(call)));
}

/** What a call takes more than a part of it: in turns, and the median, because both are many times the difference. */
function beyond(call: () => unknown, part: () => unknown): number {
  const differences = Array.from({ length: ROUNDS }, () => round(call) - round(part));
  return differences.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

function round(call: () => unknown): number {
  const before = process.cpuUsage();
  for (let i = 0; i < CALLS; i++) call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CALLS;
}
