import { isObject, type Json, parseJson } from '../model/json.ts';

/** A scope that names an offer decision and a placement. Documented: base64 of `{"activityId","placementId"[,"itemCount"]}`. */
export interface OfferScope {
  readonly decisionId: string;
  readonly placementId: string;
  readonly itemCount: number;
}

/** Offers of one placement in one answer: chosen, more than any page shows. */
export const OFFER_ITEMS_MAX = 30;
/** A scope of ids as long as they get has some 300 characters. */
const SCOPE_CHARACTERS_MAX = 2_048;
/** `{"` and `{ ` and `{` before a line break, in base64 of either alphabet. */
const BEGINS = /^e[yw]/;

/**
 * Reads a scope in standard or URL-safe base64, with or without padding, keys plain or prefixed (`xdm:activityId`). Null where
 * it is none: then it is the name of a place. A count that makes no sense counts as one (chosen).
 */
export function parseOfferScope(scope: string): OfferScope | null {
  if (!BEGINS.test(scope) || scope.length > SCOPE_CHARACTERS_MAX) return null;
  const value = decoded(scope);
  if (!isObject(value)) return null;
  const decisionId = field(value, 'activityId');
  const placementId = field(value, 'placementId');
  if (typeof decisionId !== 'string' || typeof placementId !== 'string') return null;
  const count = field(value, 'itemCount');
  const isCount = typeof count === 'number' && Number.isInteger(count) && count >= 1;
  return { decisionId, placementId, itemCount: isCount ? Math.min(count, OFFER_ITEMS_MAX) : 1 };
}

function field(value: Readonly<Record<string, Json>>, name: string): Json | undefined {
  if (Object.hasOwn(value, name)) return value[name];
  return Object.hasOwn(value, `xdm:${name}`) ? value[`xdm:${name}`] : undefined;
}

/** What the base64 says, or null: a scope is any text, so text that is no JSON is nothing wrong. */
function decoded(scope: string): Json {
  try {
    const bytes = Uint8Array.from(atob(scope.replaceAll('-', '+').replaceAll('_', '/')), (byte) => byte.charCodeAt(0));
    return parseJson(new TextDecoder().decode(bytes));
  } catch {
    // Text that is neither base64 nor JSON: the name of a place.
    return null;
  }
}
