import type { DecisionQuery, StoredInputs } from '../model/decision.ts';
import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import type { Displays } from '../model/displays.ts';
import type { EdgeEvent, Exchange } from '../model/exchange.ts';
import { nobodiesIn } from '../model/identity-rules.ts';
import type { JsonObject } from '../model/json.ts';
import type { DecidingTools, DecisionRuntime } from './deciding.ts';
import { previewOf } from './decision-preview.ts';
import { personOf, propertyTokenOf, sectionOf } from './person-sections.ts';

/** One event that is decided for. */
export interface Work {
  readonly x: Exchange;
  readonly event: EdgeEvent;
  readonly tools: DecidingTools;
  readonly definitions: DecisionDefinitions;
  readonly runtime: DecisionRuntime;
  readonly displays: Displays;
}

/** Without what belongs to services that are off; null where all of them are. The same object where none is. */
export function restricted(query: DecisionQuery, { x, tools }: Work): DecisionQuery | null {
  const { services } = x.datastream;
  const isDeciding = services.has('decisions');
  const isOffering = services.has('offers');
  const isMessaging = services.has('messages');
  if (isDeciding && isOffering && isMessaging) return query;
  if (!isDeciding && !isOffering && !isMessaging) return null;
  return {
    schemas: query.schemas,
    scopes: query.scopes.filter((scope) => (tools.isOfferScope(scope) ? isOffering : isDeciding)),
    surfaces: isMessaging ? query.surfaces : [],
  };
}

/** As it is being put together. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** `isQueryKept`: the event does not have the query itself. */
export function inputsOf(work: Work, query: DecisionQuery | null, isQueryKept: boolean): Mutable<StoredInputs> {
  const { x, event, tools, definitions } = work;
  const sections: [string, string, string][] = [];
  for (const namespace of namespacesOf(event)) {
    const person = personOf(x, event, namespace);
    for (const section of namespace === 'ECID' ? (['profile', 'decision'] as const) : (['decision'] as const)) {
      const record = sectionOf(person, section)?.['record'];
      if (typeof record === 'string') sections.push([namespace, section, record]);
    }
  }
  const preview = previewOf(x, event, tools.previews, definitions);
  const propertyToken = propertyTokenOf(x);
  const nobodies = nobodiesIn(event.identities, x.datastream.identity.rules);
  // Added one by one: V8 puts together what is spread by its slow means.
  const inputs: Mutable<StoredInputs> = {};
  if (sections.length > 0) inputs.sections = sections;
  if (nobodies !== null) inputs.nobodies = nobodies;
  if (query !== null && isQueryKept) inputs.query = writtenQuery(query);
  if (propertyToken !== null) inputs.propertyToken = propertyToken;
  if (preview !== null) inputs.preview = preview;
  return inputs;
}

function writtenQuery({ schemas, scopes, surfaces }: DecisionQuery): JsonObject {
  const written: JsonObject = { decisionScopes: [...scopes], surfaces: [...surfaces] };
  if (schemas !== null) written['schemas'] = [...schemas];
  return written;
}

/** Of the persons whom a decision is about: the device first. */
export function namespacesOf(event: EdgeEvent): Iterable<string> {
  if (event.identities.length < 2 && event.ecid !== null) return DEVICE_ONLY;
  const namespaces = new Set(event.identities.map(({ namespace }) => namespace));
  namespaces.delete('ECID');
  return event.ecid === null ? namespaces : ['ECID', ...namespaces];
}
const DEVICE_ONLY = ['ECID'];
