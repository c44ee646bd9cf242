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

/** As a notice keeps it, and as older tokens have it: a JSON array, since ids and scopes may hold any character. */
export function claimsText(claims: TokenClaims): string {
  const { requestId, eventIndex, activityId, experienceId, scope, atSeconds, isPreview, isBot } = claims;
  const flags = (isPreview ? PREVIEW : 0) + (isBot ? BOT : 0);
  const what = `${jsonText(activityId)},${jsonText(experienceId)},${jsonText(scope)}`;
  return `[${jsonText(requestId)},${eventIndex},${what},${atSeconds},${flags}]`;
}

/** What all tokens of one decision say. */
export type DecisionClaims = Pick<TokenClaims, 'requestId' | 'eventIndex' | 'atSeconds' | 'isBot'>;
/** What one says that is not said by all: the same for every visitor. */
export type ContentClaims = Pick<TokenClaims, 'activityId' | 'experienceId' | 'scope' | 'isPreview'>;

export function decisionClaims({ requestId, eventIndex, atSeconds, isBot }: DecisionClaims): string {
  return `[${jsonText(requestId)},${eventIndex},${atSeconds},${isBot ? BOT : 0}]`;
}

/** In base64url, as it stands in a token. */
export function contentPart({ activityId, experienceId, scope, isPreview }: ContentClaims): string {
  const text = JSON.stringify([activityId, experienceId, scope, isPreview ? PREVIEW : 0]);
  return Buffer.from(text).toString('base64url');
}

/** Both together. Null for what those two did not write. */
export function claimsOfBoth(decision: string, content: string): TokenClaims | null {
  const [one, other] = [fieldsOf(decision), fieldsOf(content)];
  if (one?.length !== 4 || other?.length !== 4) return null;
  const [requestId, eventIndex, atSeconds, bot] = one;
  const [activityId, experienceId, scope, preview] = other;
  if ((bot !== 0 && bot !== BOT) || (preview !== 0 && preview !== PREVIEW)) return null;
  return claimsFrom([requestId!, eventIndex!, activityId!, experienceId!, scope!, atSeconds!, bot + preview]);
}

/** Null for what `claimsText` did not write. */
export function claimsOf(text: string): TokenClaims | null {
  const fields = fieldsOf(text);
  return fields === null ? null : claimsFrom(fields);
}

function fieldsOf(text: string): readonly Json[] | null {
  try {
    const fields = parseJson(text);
    return Array.isArray(fields) ? fields : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

function claimsFrom(fields: readonly Json[]): TokenClaims | null {
  if (fields.length !== FIELDS) return null;
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
