import type { Proposition } from './decision.ts';
import { contentPart } from './decision-token.ts';
import { isObject, type JsonObject } from './json.ts';

/** A proposition as texts: JSON, and what is signed of it. */
export interface PropositionJson {
  /** As on the wire, up to its event token. */
  readonly before: string;
  /** The rest, from the token on. */
  readonly after: string;
  /** As the log keeps it. */
  readonly stored: string;
  /** What its event token says of it. */
  readonly token: string;
}

const made = new WeakMap<Proposition, PropositionJson>();

/** Stringifying content is most of what answering with it costs: what is the same for every request (frozen) is made once. */
export function propositionJson(proposition: Proposition): PropositionJson {
  const known = made.get(proposition);
  if (known !== undefined) return known;
  const { id, scope, scopeDetails, offer, items, activityId, experienceId } = proposition;
  const { characteristics, ...details } = scopeDetails;
  const told = isObject(characteristics) ? characteristics : {};
  const json = {
    before: onePiece(
      `{${inside({ id, scope })}"scopeDetails":{${inside(details)}"characteristics":{${inside(told)}"eventToken":"`,
    ),
    after: onePiece(`"}},${inside(offer ?? {})}"items":${JSON.stringify(items)}}`),
    token: contentPart(proposition),
    stored: JSON.stringify([id, scope, activityId, experienceId, items.map((item) => String(item['id'] ?? ''))]),
  };
  if (Object.isFrozen(proposition)) made.set(proposition, json);
  return json;
}

/**
 * What is kept is put together once. V8 holds such a text as the tree of its parts, and walks it whenever it becomes part of
 * another one.
 */
function onePiece(text: string): string {
  return Buffer.from(text).toString();
}

/** The members of an object as JSON, with a comma behind each. */
function inside(object: JsonObject): string {
  const text = JSON.stringify(object).slice(1, -1);
  return text === '' ? '' : `${text},`;
}
