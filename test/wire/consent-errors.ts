import { ENDPOINTS } from '../../src/components.ts';
import type { Stage } from '../../src/model/parts.ts';
import { ChoicesUnderWay } from '../../src/stages/choices-under-way.ts';
import { TcStrings } from '../../src/stages/tc-strings.ts';
import { Wait } from '../../src/stages/wait.ts';
import { MemoryState } from '../../src/state/memory.ts';
import type { ErrorRow } from '../support/error-row.ts';
import { ECID_A } from '../support/exchanges.ts';
import type { GatewayParts } from '../support/gateway-server.ts';

/** The requests that reach the codes of consent. */

const CONSENT = '/ee/v1/privacy/set-consent?configId=shop';
const identityMap = { ECID: [{ id: ECID_A }] };

export const CONSENT_ERRORS: readonly ErrorRow[] = [
  [
    'EXEG-0300-502',
    'consent strings that cannot be read for now',
    { body: { event: { xdm: { identityMap, consentStrings: [] } } }, parts: withoutDecoder() },
    ['TC strings', 'nothing of this request was stored', 'again'],
  ],
  [
    'EXEG-0302-409',
    'an update of somebody who is out of everything',
    {
      path: CONSENT,
      body: {
        identityMap,
        consent: [{ standard: 'Adobe', version: '2.0', value: { share: { val: 'y' } } }],
        query: { consent: { operation: 'update' } },
      },
      parts: { state: optedOut('1.0') },
    },
    ["'collect'", "'query.consent.operation'", "general 'out'"],
  ],
  [
    'EXEG-0307-502',
    'a choice that cannot be read for now',
    {
      path: CONSENT,
      body: { consent: [{ standard: 'IAB TCF', version: '2.0', value: 'C' }] },
      parts: withoutDecoder(),
    },
    ['TC strings', 'no choice was stored', 'again'],
  ],
  [
    'EXEG-0301-200',
    'an event of somebody who opted out',
    { body: { event: { xdm: { identityMap } } }, parts: { state: optedOut() } },
    ["'out'", 'set-consent'],
  ],
];

/** An installation whose decoder of TC strings is broken. */
function withoutDecoder(): GatewayParts {
  const strings = new TcStrings(() => Promise.reject(new Error('secret')));
  const wait = new Wait(new MemoryState(), new ChoicesUnderWay(), strings);
  const stages = new Map<string, Stage>([['wait', wait]]);
  return {
    matrix: ENDPOINTS.map(([endpoint, names]) => [endpoint, names.flatMap((name) => stages.get(name) ?? [])] as const),
  };
}

function optedOut(version = '2.0'): MemoryState {
  const state = new MemoryState();
  const change = {
    kind: 'consent' as const,
    key: `TEST@AdobeOrg|ECID|${ECID_A}`,
    time: '0-0',
    body: { value: { collect: { val: 'n' }, version } },
  };
  state.apply([{ position: { partition: 0, offset: 0 }, changes: [change] }]);
  return state;
}
