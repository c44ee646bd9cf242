import { createHmac } from 'node:crypto';
import type { EdgeEvent, Exchange } from '../model/exchange.ts';
import { eventField, identityMapField } from '../model/field-path.ts';
import { identitiesOf, mintEcid } from '../model/identity.ts';
import { isObject, type Json, type JsonObject } from '../model/json.ts';
import { type Problem, problem } from '../model/problem.ts';

/**
 * FPIDs: a site's own ids of its devices. An FPID is the seed of an ECID; after that it is dropped, and never stored.
 * Documented; how the ECID is made of it is not, so that is chosen: the first 128 bits of HMAC-SHA-256, under the
 * installation's key, over `fpid`, the org and the FPID in lower case, made an ECID as random bits are. So one FPID has
 * one ECID in an org, on every server with the same key; nobody without the key can compute it, or tell that two orgs'
 * ECIDs are of one FPID.
 */
export class FpidSeeds {
  readonly #key: Uint8Array;

  /** `key`: 32 secret bytes. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** `fpid`: as `isFpid` has it. */
  ecidOf(orgId: string, fpid: string): string {
    const seed = `fpid\0${orgId}\0${fpid.toLowerCase()}`;
    return mintEcid(createHmac('sha256', this.#key).update(seed).digest('hex').slice(0, SEED_DIGITS));
  }
}
const SEED_DIGITS = 32;

const FPID_NAMESPACE = 'FPID';
/** A version-4 UUID (RFC 9562), in any case. Documented. */
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
/** No random bit set: whatever made it would make it for everybody. */
const EMPTY_UUID = '00000000-0000-4000-8000-000000000000';

export function isFpid(text: string): boolean {
  return UUID_V4.test(text) && text !== EMPTY_UUID;
}

/** The FPID of the request's own identity map, null where it has none. Throws 0308. */
export function fpidOfRequest(x: Exchange): string | null {
  const map = x.received.identityMap;
  if (map === null || !Object.hasOwn(map, FPID_NAMESPACE)) return null;
  x.rawIsSecret = true;
  return firstFpid(map, identityMapField(x.path), null);
}

/** The FPID of an event's identity map, which is taken out of it; null where it has none. Throws 0308. */
export function takeFpid(event: EdgeEvent, x: Exchange): string | null {
  const map = event.xdm['identityMap'];
  if (!isObject(map) || !Object.hasOwn(map, FPID_NAMESPACE)) return null;
  const fpid = firstFpid(map, `${eventField(x.path, event.index)}.xdm.identityMap`, event.index);
  const { [FPID_NAMESPACE]: _dropped, ...rest } = map;
  x.rawIsSecret = true;
  event.xdm['identityMap'] = rest;
  event.identities = identitiesOf(event.xdm);
  return fpid;
}

/** The FPID of the cookie that the datastream names. One that is none costs the site its known visitors, not their events. Chosen. */
export function fpidOfCookie(x: Exchange): string | null {
  const name = x.datastream.identity.fpidCookie;
  const value = name === null ? undefined : x.client.cookies.get(name);
  if (value === undefined) return null;
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
