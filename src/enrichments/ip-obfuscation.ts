import type { IpObfuscation } from '../model/datastream.ts';
import type { EdgeEvent, Exchange } from '../model/exchange.ts';
import { isObject, type Json, type JsonObject, mergeJson, parseJson, valueAt } from '../model/json.ts';
import type { Enrichment } from '../model/parts.ts';
import { obfuscatedIp } from '../net/obfuscated-ip.ts';

/** Of `xdm.environment`. Documented: the edge network fills them in. */
const FIELDS = ['ipV4', 'ipV6'] as const;

/**
 * Keeps the client's address with each event, in `xdm.environment.ipV4` or `ipV6`, treated as the datastream says; where it says
 * nothing, no address is added. An event that brings an address keeps its own, treated in the same way: whoever sends it (a
 * server for its visitors) knows better than the connection. On the server listener nothing is added, because the connection
 * is the caller's and not the visitor's. Documented: the levels and the fields; the rest is chosen.
 */
export const ipObfuscation: Enrichment = {
  name: 'ip-obfuscation',
  enrich(x) {
    const level = x.datastream.ipObfuscation;
    if (level === null) return;
    let isInBody = false;
    for (const event of x.events) {
      const { environment } = event.xdm;
      if (bringsAddress(environment)) {
        if (level === 'none') continue;
        event.xdm['environment'] = treated(environment, level);
        isInBody = true;
      } else if (x.role === 'edge' && (environment === undefined || isObject(environment))) add(event, x, level);
    }
    if (isInBody) x.raw = withoutAddresses(x.raw, level);
  },
};

function bringsAddress(environment: Json | undefined): environment is JsonObject {
  return isObject(environment) && FIELDS.some((field) => Object.hasOwn(environment, field));
}

function add(event: EdgeEvent, { client }: Exchange, level: IpObfuscation): void {
  const kept = obfuscatedIp(client.ip, level);
  if (kept === null) return;
  const news = { environment: { [kept.family === 4 ? 'ipV4' : 'ipV6']: kept.address } };
  event.xdm = mergeJson(event.xdm, news);
  event.added = event.added === null ? news : mergeJson(event.added, news);
}

/** A copy: events of one request may share what lies in their xdm. What cannot be read as an address is left out. */
function treated(environment: JsonObject, level: IpObfuscation): JsonObject {
  const kept = { ...environment };
  for (const field of FIELDS) {
    if (!Object.hasOwn(environment, field)) continue;
    const sent = environment[field];
    const address = typeof sent === 'string' ? obfuscatedIp(sent, level) : null;
    if (address === null) delete kept[field];
    else kept[field] = address.address;
  }
  return kept;
}

/** A body of any endpoint, written anew: what a client sent is not on the disk beside what is kept of it. */
function withoutAddresses(raw: Uint8Array, level: IpObfuscation): Buffer {
  const body = parseJson(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString()) as JsonObject;
  const events = Array.isArray(body['events']) ? body['events'] : [];
  for (const xdm of [body['xdm'], valueAt(body['event'] ?? null, 'xdm'), ...events.map((one) => valueAt(one, 'xdm'))]) {
    if (isObject(xdm) && bringsAddress(xdm['environment'])) xdm['environment'] = treated(xdm['environment'], level);
  }
  return Buffer.from(JSON.stringify(body));
}
