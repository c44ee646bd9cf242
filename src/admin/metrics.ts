import type { Counters } from '../telemetry/counters.ts';
import { Exposition, type Sample } from '../telemetry/exposition.ts';
import type { Histogram } from '../telemetry/histogram.ts';
import type { LogMeter } from '../telemetry/log-meter.ts';
import { METRICS } from '../telemetry/metrics.ts';

/** What is measured where it happens, and asked for when somebody looks. Times in milliseconds of the Unix epoch. */
export interface MetricSources {
  readonly counters: Counters;
  readonly requestsInFlight: () => number;
  readonly logMeter: LogMeter;
  readonly log: () => LogNumbers;
  readonly expiry: () => {
    readonly removed: ReadonlyMap<string, number>;
    readonly lastPassMs: number | null;
    readonly waitsForClock: boolean;
    readonly failure: string | null;
  };
  readonly segmentBytes: () => Promise<number>;
  readonly diskFreeBytes: () => Promise<number>;
  /** Given the free bytes. */
  readonly diskLeftSeconds: (freeBytes: number) => number;
  readonly stateLagRecords: () => number;
  readonly damageReports: () => number;
  readonly configuration: () => { readonly isRejected: boolean; readonly loadedAtMs: number };
  readonly certificate: () => { readonly expiresAtMs: number; readonly isRejected: boolean } | null;
  readonly adminFailures: () => number;
  readonly isAuditBroken: () => Promise<boolean>;
  readonly loopDelay: Histogram;
  readonly startedAtMs: number;
  readonly version: string;
}

export interface LogNumbers {
  readonly nextOffset: number;
  readonly writtenBytes: number;
  readonly queueBytes: number;
  readonly queueAgeMs: number;
  readonly refusing: string | null;
}

/** Every metric of telemetry/metrics.ts, as text. */
export async function renderMetrics(sources: MetricSources): Promise<string> {
  const [segmentBytes, freeBytes, isAuditBroken] = await Promise.all([
    sources.segmentBytes(),
    sources.diskFreeBytes(),
    sources.isAuditBroken(),
  ]);
  const out = new Exposition();
  ingress(out, sources);
  log(out, sources);
  out.family(METRICS.segmentBytes, [[segmentBytes]]);
  out.family(METRICS.diskFree, [[freeBytes]]);
  out.family(METRICS.diskLeft, [[sources.diskLeftSeconds(freeBytes)]]);
  out.family(METRICS.stateLag, [[sources.stateLagRecords()]]);
  out.family(METRICS.damage, [[sources.damageReports()]]);
  configuration(out, sources);
  out.family(METRICS.adminFailures, [[sources.adminFailures()]]);
  out.family(METRICS.auditBroken, [[Number(isAuditBroken)]]);
  processNumbers(out, sources);
  return out.text;
}

function ingress(out: Exposition, { counters, requestsInFlight }: MetricSources): void {
  out.family(METRICS.requests, counters.requests.samples());
  out.family(METRICS.requestsInFlight, [[requestsInFlight()]]);
  out.family(
    METRICS.problems,
    Object.entries(counters.problems).map(([code, count]): Sample => [count, code]),
  );
  out.family(METRICS.ingress, ledgerSamples(counters));
  out.family(
    METRICS.identities,
    Object.entries(counters.identity).map(([what, count]): Sample => [count, what]),
  );
  const { outcomes, seconds, shed, notices, notOurs } = counters.decisions;
  out.family(
    METRICS.decisions,
    Object.entries(outcomes).map(([outcome, count]): Sample => [count, outcome]),
  );
  out.histogram(METRICS.decisionSeconds, seconds);
  out.family(METRICS.decisionsShed, [[shed]]);
  out.family(METRICS.notifications, [
    [notices, 'counted'],
    [notOurs, 'not-ours'],
  ]);
  out.family(
    METRICS.shed,
    Object.entries(counters.shed).map(([kind, count]): Sample => [count, kind]),
  );
}

function* ledgerSamples({ ledger }: Counters): Iterable<Sample> {
  for (const [datastream, outcomes] of ledger.totals) {
    yield [outcomes.stored, datastream, 'stored'];
    yield [outcomes.withheld, datastream, 'withheld'];
    yield [outcomes.duplicate, datastream, 'duplicate'];
    yield [outcomes.rejectedTotal, datastream, 'rejected'];
    yield [outcomes.refusedTotal, datastream, 'refused'];
  }
}

function log(out: Exposition, { logMeter, log: numbersOf, expiry }: MetricSources): void {
  const { nextOffset, writtenBytes, queueBytes, queueAgeMs, refusing } = numbersOf();
  out.histogram(METRICS.syncSeconds, logMeter.syncs);
  out.family(METRICS.queueAge, [[queueAgeMs / 1000]]);
  out.family(METRICS.queueBytes, [[queueBytes]]);
  out.family(METRICS.appends, [[logMeter.records]]);
  out.family(METRICS.appendedBytes, [[writtenBytes]]);
  out.family(METRICS.nextPosition, [[nextOffset]]);
  const { removed, lastPassMs, waitsForClock, failure } = expiry();
  out.family(
    METRICS.expired,
    [...removed].map(([datastream, count]): Sample => [count, datastream]),
  );
  out.family(METRICS.expiryPass, [[lastPassMs === null ? Number.NaN : lastPassMs / 1000]]);
  out.family(METRICS.expiryWaits, [[Number(waitsForClock)]]);
  out.family(METRICS.expiryFailed, [[Number(failure !== null)]]);
  out.family(METRICS.logFailed, [[Number(refusing === 'failed')]]);
  out.family(METRICS.logRefusing, [[Number(refusing !== null)]]);
}

function configuration(out: Exposition, sources: MetricSources): void {
  const { isRejected, loadedAtMs } = sources.configuration();
  out.family(METRICS.configurationRejected, [[Number(isRejected)]]);
  out.family(METRICS.configurationLoaded, [[loadedAtMs / 1000]]);
  const certificate = sources.certificate();
  out.family(METRICS.certificateLeft, certificate === null ? [] : [[(certificate.expiresAtMs - Date.now()) / 1000]]);
  out.family(METRICS.certificateRejected, certificate === null ? [] : [[Number(certificate.isRejected)]]);
}

function processNumbers(out: Exposition, { loopDelay, startedAtMs, version }: MetricSources): void {
  out.histogram(METRICS.loopDelay, loopDelay);
  const { rss, heapUsed, external } = process.memoryUsage();
  out.family(METRICS.memory, [
    [rss, 'resident'],
    [heapUsed, 'heap'],
    [external, 'external'],
  ]);
  const { user, system } = process.cpuUsage();
  out.family(METRICS.cpu, [
    [user / 1e6, 'user'],
    [system / 1e6, 'system'],
  ]);
  out.family(METRICS.started, [[startedAtMs / 1000]]);
  out.family(METRICS.build, [[1, version, process.version]]);
}
