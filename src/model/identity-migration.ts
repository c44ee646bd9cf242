import type { Exchange } from './exchange.ts';
import { isEcid } from './identity.ts';
import { isObject, valueAt } from './json.ts';

/**
 * The ECID of a visitor of the older Visitor API, by its cookies: `AMCV_<org>` (percent-encoded; among `|`-separated pairs
 * `MCMID|<ecid>`), else `s_ecid` (`MCMID|<ecid>`), which names no org. Null where there is none. Documented.
 */
export function migratedEcid(cookies: ReadonlyMap<string, string>, orgId: string): string | null {
  if (cookies.size === 0) return null;
  return (
    ecidIn(cookies.get(`AMCV_${encodeURIComponent(orgId)}`)) ??
    ecidIn(cookies.get(`AMCV_${orgId}`)) ??
    ecidIn(cookies.get('s_ecid'))
  );
}

function ecidIn(value: string | undefined): string | null {
  if (value === undefined) return null;
  const parts = value.replaceAll(/%7C/gi, '|').split('|');
  const at = parts.indexOf('MCMID');
  const ecid = at === -1 ? undefined : parts[at + 1];
  return isEcid(ecid) ? ecid : null;
}

const IDENTITY_COOKIE = /^kndctr_.+_identity$/;

/**
 * Whether a request that has no identity cookie of its datastream's org has one of another: in `meta.state.entries`, where
 * clients send those of the one org that they are configured with; or as a cookie, of an org that is not in the workspace
 * (a page may well have two instances, with two orgs).
 */
export function hasForeignCookie({ client, received, datastream }: Exchange): boolean {
  const { cookieNames } = datastream.identity.rules;
  for (const name of client.cookies.keys()) if (IDENTITY_COOKIE.test(name) && !cookieNames.has(name)) return true;
  const entries = valueAt(received.meta, 'state', 'entries');
  if (!Array.isArray(entries)) return false;
  return entries.some((entry) => isObject(entry) && IDENTITY_COOKIE.test(String(entry['key'])));
}
