import type { EdgeEvent, Exchange } from '../model/exchange.ts';
import { eventField, identityMapField } from '../model/field-path.ts';
import { identitiesOf, isFpid, mintEcid } from '../model/identity.ts';
import { isObject, type Json, type JsonObject, parseJson, valueAt } from '../model/json.ts';
import { type Problem, problem } from '../model/problem.ts';
import { Hmac } from './hmac.ts';

/**
 * FPIDs: a site's own ids of its devices. An FPID is the seed of an ECID; after that it is dropped, and never stored.
 * Documented; how the ECID is made of it is not, so that is chosen: the first 128 bits of HMAC-SHA-256, under the
 * installation's key, over `fpid`, the org and the FPID in lower case, made an ECID as random bits are. So one FPID has
 * one ECID in an org, on every server with the same key; nobody without the key can compute it, or tell that two orgs'
 * ECIDs are of one FPID.
 */
export class FpidSeeds {
  readonly #key: Hmac;

  /** `key`: 32 secret bytes. */
  constructor(key: Uint8Array) {
    this.#key = new Hmac(key);
  }

  /** `fpid`: as `isFpid` has it. */
  ecidOf(orgId: string, fpid: string): string {
    return this.#derive(`fpid\0${orgId}\0${fpid.toLowerCase()}`);
  }

  /** Of a visitor's id for all sites, in the same way. */
  ecidOfCore(orgId: string, core: string): string {
    return this.#derive(`core\0${orgId}\0${core}`);
  }

  #derive(seed: string): string {
    return mintEcid(this.#key.mac(Buffer.from(seed)).toString('hex'));
  }
}

const FPID_NAMESPACE = 'FPID';
/** ECIDs that a request's FPIDs derive; `ofEvents` in the order of the events. */
export interface Seeds {
  readonly ofRequest: string | null;
  readonly ofEvents: readonly (string | null)[];
}

/**
 * Takes every FPID out of the request. Where no ECID is known they make them: an event's own for it, and the first of all,
 * the cookie's last, for the request (of collect, whose events may be of several visitors, no event's). Null where none is
 * needed. Throws 0308.
 */
export function takeSeeds(x: Exchange, seeds: FpidSeeds): Seeds | null {
  const ofMap = fpidOfRequest(x);
  const ofEntry = takeEntry(x);
  let isInBody = ofMap !== null || ofEntry !== null;
  let fpid = ofMap;
  let ofEvents: (string | null)[] | null = null;
  for (let i = 0; i < x.events.length; i++) {
    const own = takeFpid(x.events[i]!, x);
    if (own === null) continue;
    isInBody = true;
    if (x.ecid !== null) continue;
    ofEvents ??= x.events.map(() => null);
    ofEvents[i] = seeds.ecidOf(x.datastream.orgId, own);
    if (x.mintsEcid) fpid ??= own;
  }
  if (isInBody) x.raw = withoutFpids(x.raw, x.datastream.identity.fpidCookie);
  if (x.ecid !== null) return null;
  fpid ??= fpidOfCookie(x, ofEntry);
  if (fpid === null && ofEvents === null) return null;
  return { ofRequest: fpid === null ? null : seeds.ecidOf(x.datastream.orgId, fpid), ofEvents: ofEvents ?? [] };
}

/** The FPID of the request's own identity map, null where it has none. Throws 0308. */
function fpidOfRequest(x: Exchange): string | null {
  const map = x.received.identityMap;
  if (map === null || !Object.hasOwn(map, FPID_NAMESPACE)) return null;
  return firstFpid(map, identityMapField(x.path), null);
}

/** The FPID of an event's identity map, which is taken out of it; null where it has none. Throws 0308. */
function takeFpid(event: EdgeEvent, x: Exchange): string | null {
  const map = event.xdm['identityMap'];
  if (!isObject(map) || !Object.hasOwn(map, FPID_NAMESPACE)) return null;
  const fpid = firstFpid(map, `${eventField(x.path, event.index)}.xdm.identityMap`, event.index);
  const { [FPID_NAMESPACE]: _dropped, ...rest } = map;
  event.xdm['identityMap'] = rest;
  event.identities = identitiesOf(event.xdm);
  return fpid;
}

/** What a server that renders pages passes on of the cookie, in `meta.state.entries`; taken out of it. Null where it does not. */
function takeEntry({ datastream, received }: Exchange): string | null {
  const name = datastream.identity.fpidCookie;
  const entries = name === null ? undefined : valueAt(received.meta, 'state', 'entries');
  if (!Array.isArray(entries)) return null;
  const at = entries.findIndex((entry) => isObject(entry) && entry['key'] === name);
  return at === -1 ? null : String((entries.splice(at, 1)[0] as JsonObject)['value']);
}

/** A body of any endpoint, written anew. Only a request that brings an FPID in its body pays for this. */
function withoutFpids(raw: Uint8Array, fpidCookie: string | null): Buffer {
  const body = parseJson(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString()) as JsonObject;
  const events = Array.isArray(body['events']) ? body['events'] : [];
  for (const part of [
    body,
    body['xdm'],
    valueAt(body['event'] ?? null, 'xdm'),
    ...events.map((event) => valueAt(event, 'xdm')),
  ]) {
    const map = isObject(part) ? part['identityMap'] : undefined;
    if (isObject(map)) delete map[FPID_NAMESPACE];
  }
  const state = valueAt(body, 'meta', 'state');
  if (isObject(state) && Array.isArray(state['entries'])) {
    state['entries'] = state['entries'].filter((entry) => !isObject(entry) || entry['key'] !== fpidCookie);
  }
  return Buffer.from(JSON.stringify(body));
}

/** The FPID of the cookie that the datastream names. One that is none costs the site its known visitors, not their events. Chosen. */
function fpidOfCookie(x: Exchange, ofEntry: string | null): string | null {
  const name = x.datastream.identity.fpidCookie;
  const value = name === null ? null : (x.client.cookies.get(name) ?? ofEntry);
  if (value === null) return null;
  if (isFpid(value)) return value;
  x.warnings.push(
    problem(
      'EXEG-0204-200',
      `The cookie '${name}' holds no FPID, so it was not used: it takes a version-4 UUID, such as the one that crypto.randomUUID() makes.`,
    ),
  );
  return null;
}

function firstFpid(map: JsonObject, path: string, eventIndex: number | null): string | null {
  const items = map[FPID_NAMESPACE];
  if (!Array.isArray(items) || items.length === 0) return null;
  const ids = items.map((item) => (isObject(item) ? item['id'] : undefined));
  for (const [index, id] of ids.entries()) {
    if (typeof id !== 'string' || !isFpid(id)) throw noFpid(`${path}.${FPID_NAMESPACE}[${index}].id`, id, eventIndex);
  }
  return ids[0] as string;
}

function noFpid(path: string, id: Json | undefined, eventIndex: number | null): Problem {
  return problem(
    'EXEG-0308-400',
    `The identity '${String(id).slice(0, 60)}' in '${path}'${eventIndex === null ? '' : ` (event #${eventIndex})`} is not valid: an FPID is a version-4 UUID. Send one, or leave the namespace out.`,
    eventIndex === null ? {} : { eventIndex },
  );
}
