import type { EdgeEvent } from './exchange.ts';
import { eventField } from './field-path.ts';
import { problem } from './problem.ts';

/**
 * On the server listener every event says itself whom it is about: there is no browser whose cookie could. Throws 0306
 * for the first event that does not. `path`: the endpoint's. Documented.
 */
export function requirePrimary(events: readonly EdgeEvent[], path: string): void {
  for (const { identities, index } of events) {
    if (identities.some((identity) => identity.primary)) continue;
    throw problem(
      'EXEG-0306-400',
      `The field '${eventField(path, index)}.xdm.identityMap' has no primary identity, which the server listener demands of every event. Mark the one that the event is about, as in {"Email":[{"id":"ada@example.com","primary":true}]}.`,
      events.length > 1 ? { eventIndex: index } : {},
    );
  }
}
