import { isEcid } from './identity.ts';

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
