import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import type { Capacity } from '../model/decision-history.ts';

/** What has to be kept beside events so that decisions can be made by these definitions, and made again. */

const CLIENT_FACTS = ['browser', 'os', 'device', 'deviceType', 'isBot', 'hints'];

/** Names of facts of the client that stand anywhere in conditions or templates; more than are read does no harm. */
export function clientFactsIn(definitions: DecisionDefinitions): readonly string[] {
  const text = JSON.stringify(definitions);
  const names = new Set([...text.matchAll(/\bclient\.([A-Za-z]+)/g)].map(([, name]) => name!));
  return [...names].filter((name) => CLIENT_FACTS.includes(name));
}

/** How many displays each cap has to know of. */
export function capacityOf({ activities, offers }: DecisionDefinitions): Capacity {
  const max = new Map<string, number>();
  for (const { id, caps } of [...activities, ...offers.offers]) {
    if (caps.length > 0) max.set(id, Math.max(...caps.map((cap) => cap.max)));
  }
  return (id) => max.get(id) ?? 0;
}
