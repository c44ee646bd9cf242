import { choicesOf, collectOf } from '../model/consent-in-force.ts';
import type { Exchange } from '../model/exchange.ts';
import { HybridClock } from '../model/hybrid-time.ts';
import { mintEcid } from '../model/identity.ts';
import { coreOf } from '../model/identity-graph.ts';
import { isObject } from '../model/json.ts';
import type { Stage } from '../model/parts.ts';
import { personKey } from '../model/person.ts';
import { coreOfCookie, isThirdPartyHost, type ThirdPartyHosts } from './third-party-hosts.ts';

/** Documented: 180 days. */
export const CORE_COOKIE_SECONDS = 15_552_000;

/**
 * On a third-party host the visitor has an id for all sites (CORE): the cookie's, else the one that the ECID was given
 * before, else a new one. The cookie is set, for this host alone; and which CORE the ECID has is logged, so that it is known on
 * other hosts too. Documented; that a visitor who is not in is given a cookie and nothing is noted, is chosen.
 */
export class ThirdParty implements Stage {
  readonly name = 'third-party';
  readonly service = null;
  readonly #clock = new HybridClock();
  readonly #thirdParty: ThirdPartyHosts;

  constructor(thirdParty: ThirdPartyHosts) {
    this.#thirdParty = thirdParty;
  }

  run(x: Exchange): undefined {
    if (x.ecid === null || !isThirdPartyHost(x, this.#thirdParty)) return;
    const key = personKey(x.datastream.orgId, 'ECID', x.ecid);
    const known = coreOf(x.persons.get(key) ?? null);
    const ofRequest = x.core ?? coreOfCookie(x, this.#thirdParty) ?? known;
    // Of a retry whose first copy is on its way to disk, it is not known yet, and a second one would be wrong.
    if (ofRequest === null && x.awaiting !== null) return;
    const core = ofRequest ?? mintEcid(x.seed);
    x.core = core;
    const safely = x.client.https ? 'SameSite=None; Secure' : 'SameSite=Lax';
    x.hostCookie = `${this.#thirdParty.cookie}=${core}; Max-Age=${CORE_COOKIE_SECONDS}; Path=/; ${safely}; HttpOnly`;
    if (core === known || x.isRetry || x.events.some(({ fate }) => fate !== 'store') || !isIn(x, key)) return;
    x.changes.push({ kind: 'identity', key, time: this.#clock.after(x.nowMs, null), body: { core } });
  }
}

/** Whether the visitor agrees to collection: acquire and set-consent have no events that would say so. */
function isIn({ persons, datastream }: Exchange, key: string): boolean {
  const section = persons.get(key)?.body['consent'];
  return collectOf(choicesOf(isObject(section) ? section : null), datastream.consent) === 'in';
}
