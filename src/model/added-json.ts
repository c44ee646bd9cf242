import { isObject, type JsonObject, jsonText } from './json.ts';

/** Nearly every event is given one ECID and nothing else: that has its own words, which take a tenth of the time. */
export function addedJson(added: JsonObject): string {
  const ecid = onlyEcidIn(added);
  if (ecid === null) return JSON.stringify(added);
  const { id, authenticatedState, primary } = ecid;
  return `{"identityMap":{"ECID":[{"id":${jsonText(id)},"authenticatedState":${jsonText(authenticatedState)},"primary":${primary}}]}}`;
}

interface EcidEntry {
  readonly id: string;
  readonly authenticatedState: string;
  readonly primary: boolean;
}

/** Null where there is anything else, or where these would not be written in this order. */
function onlyEcidIn(added: JsonObject): EcidEntry | null {
  const map = added['identityMap'];
  if (!isObject(map) || Object.keys(added).length !== 1) return null;
  const list = map['ECID'];
  if (!Array.isArray(list) || list.length !== 1 || Object.keys(map).length !== 1) return null;
  const entry = list[0]!;
  if (!isObject(entry)) return null;
  const keys = Object.keys(entry);
  if (keys.length !== 3 || keys[0] !== 'id' || keys[1] !== 'authenticatedState' || keys[2] !== 'primary') return null;
  const { id, authenticatedState, primary } = entry;
  if (typeof id !== 'string' || typeof authenticatedState !== 'string' || typeof primary !== 'boolean') return null;
  return { id, authenticatedState, primary };
}
