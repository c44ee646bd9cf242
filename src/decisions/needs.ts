import type { DecisionDefinitions } from '../model/decision-definitions.ts';

/** What has to be kept beside events so that decisions can be made by these definitions, and made again. */

const CLIENT_FACTS = ['browser', 'os', 'device', 'deviceType', 'isBot', 'hints'];

/** Names of facts of the client that stand anywhere in conditions or templates; more than are read does no harm. */
export function clientFactsIn(definitions: DecisionDefinitions): readonly string[] {
  const text = JSON.stringify(definitions);
  const names = new Set([...text.matchAll(/\bclient\.([A-Za-z]+)/g)].map(([, name]) => name!));
  return [...names].filter((name) => CLIENT_FACTS.includes(name));
}
