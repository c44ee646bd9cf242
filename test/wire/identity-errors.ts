import { identityRules, orgIdentities } from '../../src/config/identity-rules.ts';
import type { ErrorRow } from '../support/error-row.ts';
import { datastreamOf, identityOf, ORG, workspaceOf } from '../support/exchanges.ts';
import type { GatewayParts } from '../support/gateway-server.ts';

/** The requests that reach the codes of identities. */

const withIdentities = (identityMap: Record<string, { id: string; primary?: boolean }[]>) => ({
  event: { xdm: { identityMap } },
});

export const IDENTITY_ERRORS: readonly ErrorRow[] = [
  [
    'EXEG-0303-200',
    'a namespace that cannot be fetched',
    { body: { event: { xdm: {} }, query: { identity: { fetch: ['ECID', 'Email'] } } } },
    ['Email', 'ECID, CORE'],
  ],
  [
    'EXEG-0304-400',
    'a namespace that nobody declared, where the rules are strict',
    { body: withIdentities({ Shoe: [{ id: '42' }] }), parts: strict() },
    ["'Shoe'", "'event.xdm.identityMap'", 'weir.yaml declares', 'event #0', 'leave it out'],
  ],
  [
    'EXEG-0304-400',
    'two primary identities, where the rules are strict',
    {
      body: withIdentities({ Email: [{ id: 'a@shop.test', primary: true }], Phone: [{ id: '+49', primary: true }] }),
      parts: strict(),
    },
    ["'event.xdm.identityMap'", '2 identities as primary', 'Correct it'],
  ],
  [
    'EXEG-0305-400',
    'an ECID that is none',
    { body: withIdentities({ ECID: [{ id: 'abc' }] }) },
    ["'abc'", 'ECID', "'event.xdm.identityMap'", '38 digits'],
  ],
  [
    'EXEG-0308-400',
    'an FPID that is none',
    { body: withIdentities({ FPID: [{ id: 'abc' }] }) },
    ["'abc'", "'event.xdm.identityMap.FPID[0].id'", 'event #0', 'version-4 UUID', 'leave the namespace out'],
  ],
  [
    'EXEG-0308-400',
    'a hash that is none, where the rules are strict',
    { body: withIdentities({ Email_LC_SHA256: [{ id: 'ada' }] }), parts: strict() },
    ["'ada'", 'Email_LC_SHA256', 'SHA-256', 'event #0'],
  ],
];

/** A datastream with `validation.identities: reject`. */
function strict(): GatewayParts {
  const rules = identityRules(orgIdentities({ namespaces: {} }, null, []), ORG, undefined, true);
  const workspace = workspaceOf([datastreamOf({ identity: identityOf({ rules }) })]);
  return { workspace: () => workspace };
}
