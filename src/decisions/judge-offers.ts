import { HELD_OUT, type Outcome, type Verdict } from '../model/decision.ts';
import { DEVICE } from '../model/decision-history.ts';
import { FALLBACK, NO_OFFER_LEFT, OFFERS_JOINED_BY } from '../model/offer-place.ts';
import { isCapped } from './caps.ts';
import { marksText } from './marks.ts';
import { OFFER_ITEMS_MAX } from './offer-scopes.ts';
import type { Offer, OfferPlace } from './offers.ts';
import { uuidOf } from './proposition-ids.ts';
import { COMPONENT } from './schemas.ts';
import { offerDetails } from './scope-details.ts';
import type { Sitting } from './sitting.ts';
import { MadeVerdict } from './verdicts.ts';

/** What a request asks of one placement. */
export interface AskedOffers {
  readonly place: OfferPlace;
  readonly scope: string;
  readonly itemCount: number;
}

/**
 * Judges one placement of an offer decision: its dates; then consent, without which only the fallback stands, which is the same
 * for everybody; then of each offer in turn its dates, its condition and its caps, until there are as many as were asked for. Where
 * none is left, the fallback. Those who would get offers and are held out from everything get the fallback too, and are told
 * apart from whoever gets it anyway: they are to be compared with those who got the offers. A preview forces its offers, of which as many are shown as were asked
 * for. Throws what a template or a fact throws.
 */
export function judgeOffers({ place, scope, itemCount }: AskedOffers, sitting: Sitting): Verdict {
  const { input, marks } = sitting;
  for (const { when } of place.offers) for (const { index } of when?.leaves ?? []) marks[index] = 0;
  if (place.problem !== null) return verdict('broken', null, place.problem);
  const forced = input.preview?.get(place.id);
  if (forced !== undefined) return previewed(forced);
  if (place.startMs !== null && input.nowMs < place.startMs) return verdict('not-started', null, null);
  if (place.endMs !== null && input.nowMs >= place.endMs) return verdict('ended', null, null);
  if (!isAskedFor(place.schema, input.query.schemas)) return verdict('nothing-here', null, null);
  const missing = sitting.missingConsent(0);
  const chosen = missing === null ? eligible(place.offers, Math.min(itemCount, OFFER_ITEMS_MAX), sitting) : [];
  if (chosen.length > 0 && !sitting.isHeldOut()) return verdict('shown', show(chosen, idsOf(chosen), false), null);
  const { fallback } = place;
  if (chosen.length > 0) {
    if (fallback !== null) show([fallback], HELD_OUT, false);
    return verdict('global-holdout', null, fallback === null ? null : FALLBACK);
  }
  if (fallback !== null) {
    const why = missing === null ? NO_OFFER_LEFT : `${FALLBACK}: ${missing}`;
    return verdict('shown', show([fallback], fallback.id, false), why);
  }
  return missing === null ? verdict('no-experience', null, null) : verdict('no-consent', null, missing);

  function previewed(named: string): Verdict {
    if (!isAskedFor(place.schema, input.query.schemas)) return verdict('nothing-here', null, null);
    const offers: Offer[] = [];
    for (const id of named.split(OFFERS_JOINED_BY)) {
      const offer = offerOf(place, id);
      if (offer === null) return verdict('no-experience', null, `it has no offer '${id}'`);
      if (offers.length < itemCount) offers.push(offer);
    }
    return verdict('preview', show(offers, idsOf(offers), true), null);
  }

  /** Into the answer; `experienceId`. */
  function show(offers: readonly Offer[], experienceId: string, isPreview: boolean): string {
    const proposition = {
      id: uuidOf(`${place.id}\n${idsOf(offers)}`),
      scope,
      scopeDetails: offerDetails(place.decisionId),
      offer: place.wire,
      items: offers.map(({ item }) => item.make(input.facts)),
      activityId: place.id,
      experienceId,
      isPreview,
    };
    sitting.placements.push({ proposition, askedAs: scope, rank: 0, isSingle: true });
    return experienceId;
  }

  function verdict(outcome: Outcome, experienceId: string | null, because: string | null): Verdict {
    return new MadeVerdict(place.id, outcome, experienceId, null, marksText(place.leafIndexes, marks), because);
  }
}

/**
 * The Web SDK asks for offers by their scopes and names no schema of theirs, so that the scope alone is enough (chosen). A
 * client that names some gets only those.
 */
function isAskedFor(schema: string, schemas: ReadonlySet<string> | null): boolean {
  if (schemas === null || schemas.has(schema)) return true;
  for (const asked of schemas) if (asked.startsWith(COMPONENT)) return false;
  return true;
}

function idsOf(offers: readonly Offer[]): string {
  return offers.map(({ id }) => id).join(OFFERS_JOINED_BY);
}

function offerOf({ offers, fallback }: OfferPlace, id: string): Offer | null {
  return offers.find((offer) => offer.id === id) ?? (fallback?.id === id ? fallback : null);
}

function eligible(offers: readonly Offer[], count: number, { input, visitor, marks }: Sitting): readonly Offer[] {
  const chosen: Offer[] = [];
  for (const offer of offers) {
    if (chosen.length === count) break;
    if (offer.startMs !== null && input.nowMs < offer.startMs) continue;
    if (offer.endMs !== null && input.nowMs >= offer.endMs) continue;
    if (offer.when !== null && !offer.when.test(input.facts, marks)) continue;
    if (isCapped(offer.caps, visitor.shownOf(offer.id, DEVICE), input.nowMs)) continue;
    chosen.push(offer);
  }
  return chosen;
}
