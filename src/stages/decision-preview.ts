import { PREVIEW_COOKIE } from '../model/cookie-names.ts';
import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import type { EdgeEvent, Exchange } from '../model/exchange.ts';
import { valueAt } from '../model/json.ts';
import { problem } from '../model/problem.ts';
import { type PreviewSeal, previewTokens } from './preview-seal.ts';

/** Of the request's URL and of the page's. */
export const PREVIEW_PARAMETER = 'weir_preview';

/**
 * The experiences that a link forces: activity to experience, of the request's URL, the page's, or the cookie. Null: none. One
 * that is not ours or too old is warned of, and shows nothing else than usual.
 */
export function previewOf(
  x: Exchange,
  event: EdgeEvent,
  seal: PreviewSeal,
  { orgId }: DecisionDefinitions,
): Readonly<Record<string, string>> | null {
  const value = x.client.preview ?? ofPage(event) ?? x.client.cookies.get(PREVIEW_COOKIE);
  if (value === undefined || value === null) return null;
  const forced: Record<string, string> = {};
  let isAny = false;
  for (const token of previewTokens(value)) {
    const preview = seal.open(orgId, token);
    if (preview === null || preview.expiresAtSeconds * 1000 <= x.nowMs) {
      const why = preview === null ? 'was not made by this server for this org' : 'has expired';
      const message = `A preview has no effect: its link ${why}. Make another one with 'weir preview'.`;
      x.warnings.push(problem('EXEG-0204-200', message));
      continue;
    }
    isAny = true;
    forced[preview.activityId] = preview.experienceId;
  }
  return isAny ? forced : null;
}

function ofPage({ xdm }: EdgeEvent): string | null {
  const url = valueAt(xdm, 'web', 'webPageDetails', 'URL');
  if (typeof url !== 'string' || !url.includes(`${PREVIEW_PARAMETER}=`) || !URL.canParse(url)) return null;
  return new URL(url).searchParams.get(PREVIEW_PARAMETER);
}
