import type { Exchange, Handle } from '../model/exchange.ts';
import { coreOf } from '../model/identity-graph.ts';
import { isObject, type Json, jsonText, quoted, valueAt } from '../model/json.ts';
import type { HandleSource } from '../model/parts.ts';
import { personKey } from '../model/person.ts';
import { problem } from '../model/problem.ts';

/** Namespaces that `query.identity.fetch` may name. Who was never at a third-party host has no CORE, and no word is said. Documented. */
const FETCHABLE: readonly Json[] = ['ECID', 'CORE'];

/** `{type:"identity:result", payload:[{id, namespace:{code}}]}`, where `query.identity.fetch` asks for it. Documented. */
export const identityResult: HandleSource = {
  type: 'identity:result',
  service: null,
  wanted: (x) => fetched(x) !== null,
  produce(x) {
    const wanted = fetched(x)!;
    const foreign = wanted.filter((namespace) => !FETCHABLE.includes(namespace));
    if (foreign.length > 0) {
      x.warnings.push(
        problem(
          'EXEG-0303-200',
          `These identity namespaces cannot be fetched: ${foreign.map(quoted).join(', ').slice(0, 200)}. Allowed: ${FETCHABLE.join(', ')}.`,
        ),
      );
    }
    const payload: FetchedId[] = [];
    const add = (code: string, id: string | null): void => {
      if (id !== null && wanted.includes(code)) payload.push({ id, namespace: { code } });
    };
    add('ECID', x.ecid);
    add('CORE', x.core ?? knownCore(x));
    return payload.length === 0 ? [] : [new IdentityResult(payload)];
  },
};

interface FetchedId {
  readonly id: string;
  readonly namespace: { readonly code: string };
}

/** Most answers have one, and stringifying it costs ten times what its own words do. */
class IdentityResult implements Handle<'identity:result', FetchedId> {
  readonly type = 'identity:result';
  readonly payload: readonly FetchedId[];

  constructor(payload: readonly FetchedId[]) {
    this.payload = payload;
  }

  get json(): string {
    let ids = '';
    for (const { id, namespace } of this.payload) {
      ids += `${ids === '' ? '' : ','}{"id":${jsonText(id)},"namespace":{"code":${jsonText(namespace.code)}}}`;
    }
    return `{"type":"identity:result","payload":[${ids}]}`;
  }
}

/** The one that the ECID was given on a third-party host. */
function knownCore({ ecid, persons, datastream }: Exchange): string | null {
  return ecid === null ? null : coreOf(persons.get(personKey(datastream.orgId, 'ECID', ecid)) ?? null);
}

function fetched(x: Exchange): readonly Json[] | null {
  const ofRequest = valueAt(x.received.query, 'identity', 'fetch');
  if (Array.isArray(ofRequest)) return ofRequest;
  for (const event of x.events) {
    const ofEvent = isObject(event.query) ? valueAt(event.query, 'identity', 'fetch') : undefined;
    if (Array.isArray(ofEvent)) return ofEvent;
  }
  return null;
}
