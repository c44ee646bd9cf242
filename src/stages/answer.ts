import { cookieNamesOf } from '../model/cookie-names.ts';
import type { Exchange, IdentityCookie } from '../model/exchange.ts';
import { encodeIdentityCookie } from '../model/identity-cookie.ts';
import type { HandleSource, Stage } from '../model/parts.ts';
import { problem } from '../model/problem.ts';
import { LOCATION_HINT_TTL_SECONDS } from '../model/region.ts';
import type { IdentityCounts } from '../telemetry/identity-counts.ts';
import type { CookieSeal } from './cookie-seal.ts';

/** Documented: 395 days. */
export const IDENTITY_COOKIE_SECONDS = 34_128_000;
/** An identity cookie is written again at most once in this time. Documented. */
export const IDENTITY_COOKIE_REWRITE_MS = 24 * 60 * 60 * 1000;
/** One that claims to be written later than this from now was forged, or by a clock that was wrong: it counts as old. Chosen. */
export const CLOCK_SLACK_MS = 5 * 60 * 1000;

/**
 * The only place where handles are made, after everything is durable. One rule for cookies: the cluster always; the
 * identity where the request brought none for this ECID, or one that was written a day ago or in the future; then what stages set.
 */
export class Answer implements Stage {
  readonly name = 'answer';
  readonly service = null;
  readonly #sources: readonly HandleSource[];
  readonly #seal: CookieSeal;
  readonly #counts: IdentityCounts;

  constructor(sources: readonly HandleSource[], seal: CookieSeal, counts: IdentityCounts) {
    this.#sources = sources;
    this.#seal = seal;
    this.#counts = counts;
  }

  run(x: Exchange): undefined {
    const { cookiePrefix, orgId } = x.datastream;
    const names = cookieNamesOf(cookiePrefix);
    const cluster = { key: names.cluster, value: x.region.hint, maxAgeSeconds: LOCATION_HINT_TTL_SECONDS };
    const identity = this.#identityToWrite(x);
    if (identity !== null) {
      const value = encodeIdentityCookie(identity, x.region.hint, (message) => this.#seal.sign(orgId, message));
      x.cookies.unshift(cluster, { key: names.identity, value, maxAgeSeconds: IDENTITY_COOKIE_SECONDS });
    } else if (x.cookies.length === 0) x.cookies.push(cluster);
    else x.cookies.unshift(cluster);
    for (const service of x.datastream.missingServices) x.warnings.push(missingService(service));
    for (const source of this.#sources) {
      if (source.service !== null && !x.datastream.services.has(source.service)) continue;
      if (source.wanted(x)) for (const handle of source.produce(x)) x.handles.push(handle);
    }
  }

  #identityToWrite(x: Exchange): IdentityCookie | null {
    if (x.ecid === null) return null;
    const brought = x.identityCookie;
    if (brought === null) {
      const source = x.ecidSource;
      return { ecid: x.ecid, createdAtMs: x.nowMs, isNew: source === 'random', source, writtenAtMs: x.nowMs };
    }
    const ageMs = x.nowMs - brought.writtenAtMs;
    if (ageMs >= -CLOCK_SLACK_MS && ageMs < IDENTITY_COOKIE_REWRITE_MS) return null;
    const renewed = { ...brought, createdAtMs: Math.min(brought.createdAtMs, x.nowMs), writtenAtMs: x.nowMs };
    if (this.#isOurs(x)) return renewed;
    // What an unsigned cookie says of its origin is not signed as if it were known here.
    return { ...renewed, source: 'received', isNew: false };
  }

  #isOurs({ client, datastream }: Exchange): boolean {
    const isOurs = this.#seal.isSigned(
      client.cookies.get(cookieNamesOf(datastream.cookiePrefix).identity) ?? '',
      datastream.orgId,
    );
    this.#counts[isOurs ? 'verified' : 'unverified'] += 1;
    return isOurs;
  }
}

function missingService(service: string) {
  return problem(
    'EXEG-0204-200',
    `This datastream enables the service '${service}', which is not part of this version of Weir: nothing of it ran. Switch it off in the datastream's file to lose this warning.`,
  );
}
