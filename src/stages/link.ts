import type { Exchange, Identity } from '../model/exchange.ts';
import { HybridClock } from '../model/hybrid-time.ts';
import {
  DEVICES_A_DAY_MAX,
  type IdentityNews,
  LINK_REFRESH_MS,
  type Link as LinkOfId,
  linkableOf,
  linksOf,
  quarantinedMsOf,
  withLink,
} from '../model/identity-graph.ts';
import type { Namespace } from '../model/identity-rules.ts';
import type { JsonObject } from '../model/json.ts';
import type { Stage } from '../model/parts.ts';
import { personKey } from '../model/person.ts';
import type { IdentityCounts } from '../telemetry/identity-counts.ts';

/** Told of an id that met too many devices: never the id itself, which may be somebody's address. */
export type ReportQuarantine = (what: {
  readonly orgId: string;
  readonly namespace: string;
  readonly requestId: string;
}) => void;

/**
 * Links the ids that stand together in an event that is stored. What is new is logged with the event, as changes of each of
 * the ids. An id that would meet its 51st device within a day is quarantined: it links nothing, and what it linked is forgotten.
 */
export class Link implements Stage {
  readonly name = 'link';
  readonly service = null;
  readonly #clock = new HybridClock();
  readonly #counts: IdentityCounts;
  readonly #report: ReportQuarantine;

  constructor(counts: IdentityCounts, report: ReportQuarantine) {
    this.#counts = counts;
    this.#report = report;
  }

  run(x: Exchange): undefined {
    let met: Map<string, Met> | null = null;
    for (const event of x.events) {
      if (event.fate !== 'store' || event.identities.length < 2) continue;
      const ids = linkableOf(event, x.datastream.identity.rules);
      if (ids.length < 2) continue;
      met ??= new Map();
      this.#link(x, ids, met);
    }
    if (met !== null) for (const one of met.values()) this.#log(x, one);
  }

  #link(x: Exchange, ids: readonly Identity[], met: Map<string, Met>): void {
    const all: Met[] = [];
    for (const id of ids) {
      const one = metOf(x, id, met);
      // Its state was not read: the request names more ids than are linked.
      if (one === null) return;
      all.push(one);
    }
    const { namespaces } = x.datastream.identity.rules;
    for (const one of all) if (one.joinsTooMany(all, namespaces, x.nowMs)) this.#quarantine(x, one);
    const free = all.filter(({ isQuarantined }) => !isQuarantined);
    for (const one of free) for (const other of free) if (other !== one) one.meet(other.id, x.nowMs);
  }

  #quarantine(x: Exchange, one: Met): void {
    one.quarantine();
    this.#counts.quarantined += 1;
    this.#report({ orgId: x.datastream.orgId, namespace: one.id.namespace, requestId: x.requestId });
  }

  #log(x: Exchange, one: Met): void {
    const news = one.news();
    if (news === null) return;
    const time = this.#clock.after(x.nowMs, null);
    x.changes.push({ kind: 'identity', key: one.key, time, body: news as unknown as JsonObject });
  }
}

function metOf(x: Exchange, id: Identity, met: Map<string, Met>): Met | null {
  const key = personKey(x.datastream.orgId, id.namespace, id.id);
  const known = met.get(key);
  if (known !== undefined) return known;
  const person = x.persons.get(key);
  if (person === undefined) return null;
  const one = new Met(key, id, linksOf(person), quarantinedMsOf(person, x.nowMs) !== null);
  met.set(key, one);
  return one;
}

/** One id in this request: what is known of it, and what came to it. */
class Met {
  readonly key: string;
  readonly id: Identity;
  isQuarantined: boolean;
  #links: readonly LinkOfId[];
  #added: [string, string, Identity['authenticatedState']][] = [];
  #isNewInQuarantine = false;

  constructor(key: string, id: Identity, links: readonly LinkOfId[], isQuarantined: boolean) {
    this.key = key;
    this.id = id;
    this.isQuarantined = isQuarantined;
    this.#links = links;
  }

  /** Whether one of these is a device that it has not met, and it has met all that a person may meet in a day. */
  joinsTooMany(others: readonly Met[], namespaces: ReadonlyMap<string, Namespace>, nowMs: number): boolean {
    if (this.isQuarantined || this.#links.length < DEVICES_A_DAY_MAX) return false;
    const isDevice = (namespace: string): boolean => namespaces.get(namespace)?.kind === 'device';
    const isNew = ({ id }: Met): boolean => isDevice(id.namespace) && this.#find(id) === undefined;
    if (!others.some((other) => other !== this && isNew(other))) return false;
    const today = this.#links.filter((link) => isDevice(link[0]) && nowMs - link[3] < LINK_REFRESH_MS);
    return today.length >= DEVICES_A_DAY_MAX;
  }

  quarantine(): void {
    this.isQuarantined = true;
    this.#isNewInQuarantine = true;
  }

  /** Adds the link where it is new or says something new: a login, another day, or who uses a shared device now. */
  meet({ namespace, id, authenticatedState }: Identity, nowMs: number): void {
    const known = this.#find({ namespace, id });
    const isLogin = authenticatedState === 'authenticated';
    if (known !== undefined && nowMs - known[4] < LINK_REFRESH_MS) {
      const saysNothing = !isLogin || (known[2] === 'authenticated' && !this.#links.some((one) => isLater(one, known)));
      if (saysNothing) return;
    }
    const link = [namespace, id, authenticatedState] as [string, string, Identity['authenticatedState']];
    this.#links = withLink(this.#links, link, nowMs);
    this.#added.push(link);
  }

  /** Null where nothing is new. */
  news(): IdentityNews | null {
    if (this.#isNewInQuarantine) return { quarantine: true };
    return this.#added.length === 0 ? null : { links: this.#added };
  }

  #find({ namespace, id }: Pick<Identity, 'namespace' | 'id'>): LinkOfId | undefined {
    return this.#links.find((link) => link[0] === namespace && link[1] === id);
  }
}

/** Somebody else of the same namespace has logged in since. */
function isLater(one: LinkOfId, known: LinkOfId): boolean {
  return one[0] === known[0] && one[1] !== known[1] && one[2] === 'authenticated' && one[4] > known[4];
}
