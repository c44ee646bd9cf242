import type { Exchange } from '../model/exchange.ts';
import { isObject, type Json, quoted, valueAt } from '../model/json.ts';
import type { HandleSource } from '../model/parts.ts';
import { problem } from '../model/problem.ts';

/** Namespaces that `query.identity.fetch` may name. CORE needs a third-party host, so it is silently absent here. Documented. */
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
    if (x.ecid === null || !wanted.includes('ECID')) return [];
    return [{ type: 'identity:result', payload: [{ id: x.ecid, namespace: { code: 'ECID' } }] }];
  },
};

function fetched(x: Exchange): readonly Json[] | null {
  const ofRequest = valueAt(x.received.query, 'identity', 'fetch');
  if (Array.isArray(ofRequest)) return ofRequest;
  for (const event of x.events) {
    const ofEvent = isObject(event.query) ? valueAt(event.query, 'identity', 'fetch') : undefined;
    if (Array.isArray(ofEvent)) return ofEvent;
  }
  return null;
}
