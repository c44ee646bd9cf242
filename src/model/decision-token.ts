import { type Json, jsonText, parseJson } from './json.ts';

/**
 * What an event token says (`scopeDetails.characteristics.eventToken`): which decision a client speaks of when it tells that
 * something was displayed or clicked. The seal around it is the server's; reports believe a token, and look nothing up.
 */
export interface TokenClaims {
  /** The decision: its request, and the index of its event there. */
  readonly requestId: string;
  readonly eventIndex: number;
  readonly activityId: string;
  readonly experienceId: string;
  /** As in the proposition. */
  readonly scope: string;
  /** When it was decided: Unix epoch, seconds. */
  readonly atSeconds: number;
  /** A preview counts nowhere. */
  readonly isPreview: boolean;
  /** What bots see is counted apart. */
  readonly isBot: boolean;
}

const PREVIEW = 1;
const BOT = 2;
const FIELDS = 7;

/** The token's text, before it is signed: a JSON array, since ids and scopes may hold any character. */
export function claimsText(claims: TokenClaims): string {
  const { requestId, eventIndex, activityId, experienceId, scope, atSeconds, isPreview, isBot } = claims;
  const flags = (isPreview ? PREVIEW : 0) + (isBot ? BOT : 0);
  const what = `${jsonText(activityId)},${jsonText(experienceId)},${jsonText(scope)}`;
  return `[${jsonText(requestId)},${eventIndex},${what},${atSeconds},${flags}]`;
}

/** Null for what `claimsText` did not write. */
export function claimsOf(text: string): TokenClaims | null {
  let fields: Json;
  try {
    fields = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
  if (!Array.isArray(fields) || fields.length !== FIELDS) return null;
  const [requestId, eventIndex, activityId, experienceId, scope, atSeconds, flags] = fields;
  if (typeof requestId !== 'string' || typeof activityId !== 'string') return null;
  if (typeof experienceId !== 'string' || typeof scope !== 'string') return null;
  if (!isCount(eventIndex) || !isCount(atSeconds) || !isCount(flags) || flags > PREVIEW + BOT) return null;
  return {
    ...{ requestId, eventIndex, activityId, experienceId, scope, atSeconds },
    isPreview: (flags & PREVIEW) !== 0,
    isBot: (flags & BOT) !== 0,
  };
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
