import type { Exchange } from '../model/exchange.ts';
import { isEcid } from '../model/identity.ts';
import { isJunk } from '../model/identity-rules.ts';

/** Where visitors are known across sites: a browser sends this host's cookie along from every page. */
export interface ThirdPartyHosts {
  /** In lower case. */
  readonly hosts: ReadonlySet<string>;
  readonly cookie: string;
}

export function isThirdPartyHost({ client }: Exchange, { hosts }: ThirdPartyHosts): boolean {
  return hosts.size > 0 && hosts.has(client.host);
}

/** The visitor's id for all sites, as the host's cookie has it: 38 digits, as an ECID. Null where there is none. */
export function coreOfCookie(x: Exchange, thirdParty: ThirdPartyHosts): string | null {
  if (!isThirdPartyHost(x, thirdParty)) return null;
  const value = x.client.cookies.get(thirdParty.cookie);
  return isEcid(value) && !isJunk(value, x.datastream.identity.rules.junkIds) ? value : null;
}
