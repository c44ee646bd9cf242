import { literally } from '../language/templates.ts';
import type { Condition, Leaf } from '../model/condition.ts';
import type {
  CapDefinition,
  OfferDecisionDefinition,
  OfferDefinition,
  OfferDefinitions,
  PlacementDefinition,
} from '../model/decision-definitions.ts';
import { canonicalJson, isObject, type JsonObject } from '../model/json.ts';
import { offerPlaceId } from '../model/offer-place.ts';
import type { Conditions } from './conditions.ts';
import { messageOf } from './failures.ts';
import { indexesOf } from './marks.ts';
import { etagOf } from './proposition-ids.ts';
import { FORMATS } from './schemas.ts';
import { type PreparedItem, prepareItem } from './templates.ts';

/** A placement of an offer decision: what a scope of `{activityId, placementId}` names. */
export interface OfferPlace {
  /** In verdicts and propositions: "<decision>~<placement>" (ids have no "~"). */
  readonly id: string;
  readonly decisionId: string;
  readonly startMs: number | null;
  readonly endMs: number | null;
  /** The proposition's `activity` and `placement`. */
  readonly wire: JsonObject;
  readonly schema: string;
  /** The highest priority first; at the same priority, as they are listed. */
  readonly offers: readonly Offer[];
  readonly fallback: Offer | null;
  readonly leaves: readonly Leaf[];
  readonly leafIndexes: readonly number[];
  readonly problem: string | null;
}

/** An offer as one placement shows it. */
export interface Offer {
  readonly id: string;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly when: Condition | null;
  readonly caps: readonly CapDefinition[];
  readonly item: PreparedItem;
}

export interface Offers {
  /** By `offerPlaceId`. */
  readonly places: ReadonlyMap<string, OfferPlace>;
  /** The first index of `marks` that no offer uses. */
  readonly end: number;
}

/** Never throws: what is wrong with an offer breaks the placements in which it is listed. */
export function compileOffers(definitions: OfferDefinitions, conditions: Conditions): Offers {
  const compiler = new OfferCompiler(definitions, conditions);
  const places = new Map<string, OfferPlace>();
  for (const decision of definitions.decisions) {
    for (const listed of decision.placements) {
      const placement = definitions.placements.find(({ id }) => id === listed.placementId);
      if (placement !== undefined)
        places.set(offerPlaceId(decision.id, placement.id), compiler.place(decision, placement, listed));
    }
  }
  return { places, end: compiler.end };
}

type Listed = OfferDecisionDefinition['placements'][number];

class OfferCompiler {
  /** The first index of `marks` that is free. */
  end: number;
  readonly #conditions: Conditions;
  readonly #offers: ReadonlyMap<string, OfferDefinition>;

  constructor(definitions: OfferDefinitions, conditions: Conditions) {
    this.#conditions = conditions;
    this.#offers = new Map(definitions.offers.map((offer) => [offer.id, offer]));
    this.end = conditions.end;
  }

  place(decision: OfferDecisionDefinition, placement: PlacementDefinition, listed: Listed): OfferPlace {
    const base = {
      id: offerPlaceId(decision.id, placement.id),
      decisionId: decision.id,
      startMs: decision.startMs,
      endMs: decision.endMs,
      wire: {
        activity: { id: decision.id, etag: etagOf(JSON.stringify(decision)) },
        placement: { id: placement.id, etag: etagOf(JSON.stringify(placement)) },
      },
      schema: placement.component,
    };
    try {
      const definitions = listed.offers
        .flatMap((id) => this.#offers.get(id) ?? [])
        .filter(({ content }) => Object.hasOwn(content, placement.id))
        .toSorted((a, b) => b.priority - a.priority);
      const offers = definitions.map((offer) => this.#offer(offer, decision, placement));
      const leaves = [
        ...offers.flatMap(leavesOf),
        ...this.#conditions.leavesOfNamed(definitions.map(({ when }) => when)),
      ];
      const fallback = this.#fallback(listed, decision, placement);
      return { ...base, offers, fallback, leaves, leafIndexes: indexesOf(leaves), problem: null };
    } catch (error) {
      return { ...base, offers: [], fallback: null, leaves: [], leafIndexes: [], problem: messageOf(error) };
    }
  }

  /** Shown to everybody: its condition, caps and dates do not count. */
  #fallback({ fallback }: Listed, decision: OfferDecisionDefinition, placement: PlacementDefinition): Offer | null {
    const offer = fallback === null ? undefined : this.#offers.get(fallback);
    if (offer === undefined || !Object.hasOwn(offer.content, placement.id)) return null;
    return this.#offer({ ...offer, when: null, caps: [], startMs: null, endMs: null }, decision, placement);
  }

  #offer(offer: OfferDefinition, decision: OfferDecisionDefinition, placement: PlacementDefinition): Offer {
    const { id, startMs, endMs, caps } = offer;
    const when = offer.when === null ? null : this.#conditions.compile(offer.when, this.end);
    this.end += when?.leaves.length ?? 0;
    return {
      id,
      startMs,
      endMs,
      caps,
      when,
      item: prepareItem(placement.component, wireOffer(offer, decision, placement)),
    };
  }
}

function leavesOf({ id, when }: Offer): readonly Leaf[] {
  return (when?.leaves ?? []).map((leaf) => ({ ...leaf, text: `offer '${id}': ${leaf.text}` }));
}

/** Documented: content or a delivery URL, languages in a list, characteristics as texts; `data.id` is the item's. */
function wireOffer(
  offer: OfferDefinition,
  decision: OfferDecisionDefinition,
  placement: PlacementDefinition,
): JsonObject {
  const { id: placementId, component } = placement;
  const { format, language, characteristics, ...content } = offer.content[placementId]!;
  const data: JsonObject = {
    id: offer.id,
    format: typeof format === 'string' ? format : (FORMATS.get(component) ?? 'text/plain'),
  };
  if (typeof language === 'string' || Array.isArray(language)) data['language'] = [language].flat();
  if (isObject(characteristics)) {
    data['characteristics'] = Object.fromEntries(
      Object.entries(characteristics).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    );
  }
  const etag = etagOf(canonicalJson({ ...offer.content[placementId]! }));
  const meta = tokens(decision, placement, offer);
  const whole = { ...data, ...content, id: offer.id };
  return { id: offer.id, etag, score: offer.priority, schema: component, meta, data: whole };
}

interface Named {
  readonly id: string;
  readonly name: string;
}

/** Told with every offer, for analytics, as activities have them. Braces in names are no templates. */
function tokens(activity: Named, placement: Named, offer: Named): JsonObject {
  return {
    'activity.id': activity.id,
    'activity.name': literally(activity.name),
    'placement.id': placement.id,
    'placement.name': literally(placement.name),
    'offer.id': offer.id,
    'offer.name': literally(offer.name),
  };
}
