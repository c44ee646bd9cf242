import { captures } from '../support/captures.ts';

/** One request as it is played to the gateway. Names and values of headers, and the target, hold only what Node's parser lets through. */
export interface Input {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

export const ORG = 'FUZZ@AdobeOrg';
export const OTHER_ORG = 'OTHER@AdobeOrg';
export const DATASTREAM = 'shop';

/** What the mutations start from: every request that the real Web SDK was seen to make, and the forms that it does not use. */
export function samples(): readonly Input[] {
  const recorded = captures().flatMap(({ requests, datastreamId, orgId }) =>
    requests.map(({ method, url, rawHeaders, rawBody }): Input => {
      const { pathname, search } = new URL(url);
      const ours = (text: string): string =>
        text
          .replaceAll(datastreamId, DATASTREAM)
          .replaceAll('configId=other-ds', `configId=${DATASTREAM}`)
          .replaceAll(orgId.replace('@', '_'), ORG.replace('@', '_'));
      return {
        method,
        target: ours(pathname + search),
        headers: rawHeaders.map(([name, value]) => [name, ours(value)] as const),
        body: Buffer.from(ours(rawBody)),
      };
    }),
  );
  // Of the five to media collection, which is not there, one is enough.
  const media = recorded.filter(({ target }) => target.includes('/va/'));
  return [...recorded.filter((one) => !media.includes(one) || one === media[0]), ...OTHERS];
}

const event = { xdm: { eventType: 'page', _id: 'a1', timestamp: '2026-11-23T09:30:00.000Z' }, data: { n: 1 } };
const identityMap = {
  ECID: [{ id: '1'.repeat(38), primary: true }],
  CRM: [{ id: 'u1', authenticatedState: 'loggedOut' }],
};
const streaming = { enabled: true, recordSeparator: '\u0000', lineFeed: '\n' };
const choices = [
  { standard: 'Adobe', version: '2.0', value: { collect: { val: 'y' }, metadata: { time: '2026-11-23T09:30:00Z' } } },
  { standard: 'Adobe', version: '1.0', value: { general: 'out' } },
];

const OTHERS: readonly Input[] = [
  sample('/ee/v2/interact?datastreamId=shop', { event: { ...event, xdm: { ...event.xdm, identityMap } } }),
  sample('/ee/v2/interact?datastreamId=shop&silent=true', { event }),
  sample('/ee/v2/collect?datastreamId=shop', { events: [event, { xdm: { identityMap } }, event] }),
  sample('/ee/v1/interact?configId=shop', {
    events: [event],
    xdm: { identityMap },
    meta: { konductorConfig: { streaming } },
  }),
  sample('/ee/v1/privacy/set-consent?configId=shop', {
    identityMap,
    consent: choices,
    query: { consent: { operation: 'update' } },
  }),
  sample('/ee/or2/v1/identity/acquire?configId=shop', {
    query: { identity: { fetch: ['ECID', 'CORE'] } },
    xdm: { identityMap },
  }),
];

function sample(target: string, body: unknown): Input {
  const headers = [
    ['Host', 'edge.weir.test'],
    ['Content-Type', 'application/json'],
  ] as const;
  return { method: 'POST', target, headers, body: Buffer.from(JSON.stringify(body)) };
}

/** As a failure prints it, and as it can be put into a table. */
export function describeInput({ method, target, headers, body }: Input): string {
  const text = body.length <= 4_000 ? JSON.stringify(body.toString('latin1')) : `${body.length} bytes`;
  return `${JSON.stringify({ method, target, headers })}\nbody (latin1): ${text}`;
}
