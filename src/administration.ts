import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { createAdmin } from './admin/api.ts';
import { configurationChanges } from './admin/configuration-changes.ts';
import { Failures } from './admin/failures.ts';
import type { Health } from './admin/health.ts';
import { renderMetrics } from './admin/metrics.ts';
import type { PersonOfOrg, Persons } from './admin/persons.ts';
import type { AskedDays, Plane } from './admin/routes.ts';
import { type AdminStore, adminStore } from './admin/store.ts';
import type { TlsFiles } from './config/tls-files.ts';
import type { WorkspaceChange, WorkspaceSource } from './config/watch.ts';
import { LiveReports } from './live-reports.ts';
import { acquireLock } from './log/lock.ts';
import type { Credit } from './model/credit.ts';
import type { DecisionDefinitions } from './model/decision-definitions.ts';
import { missingExperience } from './model/find-activity.ts';
import type { JsonObject } from './model/json.ts';
import { httpProblem } from './model/problem.ts';
import { type AskedPerson, erasePerson, exportPerson, type Patience, shownErasure } from './persons.ts';
import { type Preview, previewParameter } from './previewing.ts';
import { parseDay } from './reports/calendar.ts';
import { TooMany } from './reports/fingerprints.ts';
import type { Storage } from './storage.ts';
import type { Counters } from './telemetry/counters.ts';
import { DiskForecast, FORECAST_LOOK_MS } from './telemetry/disk-forecast.ts';
import type { Log } from './telemetry/log.ts';
import { watchLoopDelay } from './telemetry/loop-delay.ts';

/** The admin plane put together: loaded when the data plane is ready, because a start does not wait for it. */

/** So long an erasure with `now` is waited for: a connection on which nothing moves for 15 s is cut. */
const ERASING_WAIT_MS = 5_000;

export interface AdministrationDeps {
  readonly data: string;
  readonly source: WorkspaceSource;
  readonly storage: Storage;
  readonly counters: Counters;
  readonly tls: TlsFiles | null;
  readonly requestsInFlight: () => number;
  readonly isDraining: () => boolean;
  /** Routes of the class `open` need no token. */
  readonly isOpen: boolean;
  readonly log: Log;
}

export class Administration {
  readonly #deps: AdministrationDeps;
  readonly #store: AdminStore;
  readonly #failures = new Failures();
  readonly #forecast = new DiskForecast();
  readonly #loop = watchLoopDelay();
  readonly #reports: LiveReports;
  readonly #looking: NodeJS.Timeout;
  readonly #app: ReturnType<typeof createAdmin>;

  private constructor(deps: AdministrationDeps) {
    this.#deps = deps;
    this.#store = adminStore(deps.data, acquireLock);
    const { log } = deps.storage;
    this.#reports = new LiveReports({
      read: (offset) => log.read({ partition: 0, offset }, false, new AbortController().signal),
      nextOffset: () => log.nextOffset,
      clockMs: () => performance.now(),
      turn: () => new Promise((resolve) => setImmediate(resolve)),
    });
    deps.storage.expiry.onChange(() => this.#reports.forget());
    this.#looking = setInterval(() => void this.#look(), FORECAST_LOOK_MS);
    this.#looking.unref();
    this.#app = createAdmin({
      plane: this.#plane(),
      tokens: this.#store.tokens,
      failures: this.#failures,
      isOpen: deps.isOpen,
      report: (error) => deps.log.error({ what: 'admin', error: error.stack }, 'an admin request failed'),
    });
  }

  /** Never throws for what the files in DATA/admin hold: that is reported, and stands in /health. */
  static async open(deps: AdministrationDeps): Promise<Administration> {
    const administration = new Administration(deps);
    await administration.#app.ready();
    await administration.#recover();
    await administration.#look();
    return administration;
  }

  readonly handle: ReturnType<typeof createAdmin>['routing'] = (req, res) => this.#app.routing(req, res);

  /** Enters a reload in the audit log; durable when it resolves. */
  async record({ from, to, by }: WorkspaceChange): Promise<void> {
    const { audit, exclusively } = this.#store;
    const details: JsonObject = {
      from: from.workspace.hash,
      to: to.workspace.hash,
      position: `0:${this.#deps.storage.log.nextOffset}`,
      ...configurationChanges(from, to),
    };
    await exclusively(() => audit.append({ what: 'configuration.reloaded', who: by ?? { kind: 'files' }, details }));
  }

  async health(): Promise<Health> {
    const { source, storage, counters, tls } = this.#deps;
    const { status } = source;
    const { head, broken } = await this.#store.audit.state();
    const { refusing } = storage.log;
    const rejected = status.lastError ?? [];
    const retention = retentionOf(storage.expiry.status);
    const troubles = [refusing, broken, tls?.rejected ?? null, retention.failure, ...rejected, ...storage.damage];
    return {
      status: troubles.every((trouble) => trouble === null) ? 'ok' : 'degraded',
      durability: 'local-fsync',
      startedAt: new Date(counters.ledger.sinceMs).toISOString(),
      workspace: {
        hash: status.hash,
        loadedAt: new Date(status.loadedAtMs).toISOString(),
        rejected: rejected.map(String),
        warnings: status.warnings,
      },
      log: { nextOffset: storage.log.nextOffset, refusing, damage: storage.damage },
      retention,
      certificate:
        tls === null ? null : { expiresAt: new Date(tls.current.expiresAtMs).toISOString(), rejected: tls.rejected },
      audit: { seq: head.seq, hash: head.hash, broken },
      identitiesSinceStart: identityCounts(counters.identity),
      eventsSinceStart: counters.ledger.sinceStart(),
      problemsSinceStart: counters.problems,
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    this.#loop.stop();
    await this.#app.close();
  }

  #plane(): Plane {
    const { source, counters } = this.#deps;
    return {
      workspace: () => source.current,
      ledger: counters.ledger,
      audit: this.#store.audit,
      health: () => this.health(),
      notReady: () => this.#notReady(),
      metrics: () => this.#metrics(),
      person: (key) => this.#deps.storage.state.get(key),
      persons: this.#persons(),
      report: (definitions, activityId, days, credit) => this.#report(definitions, activityId, days, credit),
      preview: (definitions, activityId, experienceId, expiresAtSeconds) =>
        this.#preview(definitions, { activityId, experienceId, expiresAtSeconds }),
      reload: (who) => source.reload(who),
    };
  }

  async #preview(definitions: DecisionDefinitions, preview: Preview): Promise<string | null> {
    const { activityId, experienceId } = preview;
    if (missingExperience(definitions, activityId, experienceId) !== null) return null;
    const { data, source } = this.#deps;
    return previewParameter(data, source.options.decisions.keysFile, definitions.orgId, preview);
  }

  async #report(
    definitions: DecisionDefinitions,
    activityId: string,
    { from, to }: AskedDays,
    credit: Credit,
  ): Promise<JsonObject | null> {
    const range = { from: from === null ? null : parseDay(from), to: to === null ? null : parseDay(to) };
    try {
      return await this.#reports.report(definitions, activityId, range, credit);
    } catch (error) {
      if (!(error instanceof TooMany)) throw error;
      throw httpProblem(
        503,
        'Service Unavailable',
        `A running server keeps no counts of so many: ${error.message}. Run 'weir report' beside it.`,
      );
    }
  }

  #persons(): Persons {
    const { source, storage } = this.#deps;
    const { audit, exclusively } = this.#store;
    const deps = { storage, audit, exclusively };
    const patience: Patience = {
      waitMs: ERASING_WAIT_MS,
      report: ({ message }) =>
        this.#deps.log.warn({ what: 'erasure' }, `Erased persons were not removed, and it is tried again: ${message}`),
    };
    const asked = ({ datastreamId, orgId, given }: PersonOfOrg, who: JsonObject): AskedPerson => {
      const { namespaces } = source.current.datastreams.get(datastreamId)!.identity.rules;
      return { orgId, given, namespaces, who };
    };
    return {
      erase: (person, carriesOut, who) => erasePerson(deps, asked(person, who), carriesOut, patience),
      export: (person, who) => exportPerson(deps, asked(person, who)),
      async erasure(id) {
        const found = await storage.erasures.find(id);
        if (found === null) return null;
        return { org: found.isDone ? found.receipt.org : found.org, shown: shownErasure(found) };
      },
    };
  }

  #notReady(): readonly string[] {
    const { storage, isDraining } = this.#deps;
    const { refusing } = storage.log;
    return [
      ...(isDraining() ? ['The server is stopping: requests under way are finished, new ones are not taken.'] : []),
      ...(refusing === null ? [] : [`The event log takes no appends: ${refusing}.`]),
    ];
  }

  #metrics(): Promise<string> {
    const { source, storage, counters, tls, requestsInFlight, data } = this.#deps;
    const { log, state, damage, expiry } = storage;
    return renderMetrics({
      counters,
      requestsInFlight,
      logMeter: log.meter,
      log: () => log,
      expiry: () => {
        const { removed, ...pass } = expiry.status;
        const none = [...source.current.datastreams.keys()].map((id) => [id, 0] as const);
        return { ...pass, removed: new Map([...none, ...removed]) };
      },
      segmentBytes: () => log.segmentBytes(),
      diskFreeBytes: () => freeBytes(data),
      diskLeftSeconds: (freeBytes) => this.#forecast.secondsUntil(freeBytes - source.options.log.lowWaterBytes),
      stateLagRecords: () => state.lag,
      damageReports: () => damage.length,
      configuration: () => ({ isRejected: source.status.lastError !== null, loadedAtMs: source.status.loadedAtMs }),
      certificate: () =>
        tls === null ? null : { expiresAtMs: tls.current.expiresAtMs, isRejected: tls.rejected !== null },
      adminFailures: () => this.#failures.total,
      isAuditBroken: async () => (await this.#store.audit.state()).broken !== null,
      loopDelay: this.#loop.histogram,
      startedAtMs: counters.ledger.sinceMs,
      version: VERSION,
    });
  }

  async #recover(): Promise<void> {
    const { log } = this.#deps;
    try {
      const { entries, broken } = await this.#store.audit.state();
      if (broken !== null) log.error({ what: 'audit' }, broken);
      // Only where something was ever changed: a first start writes nothing.
      if (entries > 0) await this.#store.tokens.recover();
    } catch (error) {
      log.error({ what: 'admin', error: (error as Error).message }, 'the admin tokens could not be looked at');
    }
  }

  async #look(): Promise<void> {
    try {
      this.#forecast.look(performance.now(), await this.#deps.storage.log.segmentBytes());
    } catch (error) {
      this.#deps.log.warn(
        { what: 'storage', error: (error as Error).message },
        'the log’s files could not be measured',
      );
    }
  }
}

function retentionOf({
  lastPassMs,
  waitsForClock,
  failure,
  removed,
}: Storage['expiry']['status']): Health['retention'] {
  return {
    lastPassAt: lastPassMs === null ? null : new Date(lastPassMs).toISOString(),
    waitsForClock,
    failure,
    removedSinceStart: [...removed.values()].reduce((sum, count) => sum + count, 0),
  };
}

function identityCounts({
  verified,
  unverified,
  foreign,
  quarantined,
}: Counters['identity']): Health['identitiesSinceStart'] {
  return { cookies: { verified, unverified, foreign }, quarantined };
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Of the package: one folder above this file, in src and in dist. */
const VERSION: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
