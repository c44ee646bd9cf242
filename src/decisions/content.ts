import type { Outcome, Proposition } from '../model/decision.ts';
import type { JsonObject } from '../model/json.ts';
import { type Activity, CONTROL, type Experience, type Placed } from './activities.ts';
import type { Asked } from './place-index.ts';
import { uuidOf } from './proposition-ids.ts';
import { DEFAULT_CONTENT, isWanted } from './schemas.ts';
import { surfaceDetails } from './scope-details.ts';
import type { Placement, Sitting } from './sitting.ts';
import type { PreparedItem } from './templates.ts';

export interface Missed {
  readonly outcome: Outcome;
  readonly because: string | null;
}

/**
 * Adds the propositions of an experience for all that was asked of its activity. Returns null where there is at least one,
 * else why there is none. Where only one activity can have content, the first to be judged has it. Nothing is added where a
 * template throws.
 */
export function contentFor(
  activity: Activity,
  experience: Experience,
  asked: readonly Asked[],
  isPreview: boolean,
  sitting: Sitting,
): Missed | null {
  let missed: Missed = NOTHING_HERE;
  const made: { readonly placement: Placement; readonly isSingle: boolean }[] = [];
  for (const one of asked) {
    const items = itemsOf(one.placed, experience, sitting.input.query.schemas);
    if (items.length === 0) continue;
    const single = one.placed.some(({ isSingle }) => isSingle);
    const winner = single ? sitting.takenBy(one.askedAs) : null;
    if (winner !== null) {
      missed = { outcome: 'outranked', because: winner };
      continue;
    }
    const rank = isPreview ? PREVIEW_RANK : rankOf(one.placed, experience);
    const wire = items.map(({ make }) => make(sitting.input.facts));
    const proposition = propositionOf(activity, experience, one, rank, wire, isPreview);
    made.push({ placement: { proposition, askedAs: one.askedAs, rank }, isSingle: single });
  }
  if (made.length === 0) return missed;
  for (const { placement, isSingle } of made) {
    sitting.placements.push(placement);
    if (isSingle) sitting.take(placement.askedAs, activity.definition.id);
  }
  return null;
}

/** Before everything else. */
const PREVIEW_RANK = 0;

function rankOf(placed: readonly Placed[], { id }: Experience): number {
  let rank = Number.POSITIVE_INFINITY;
  for (const { contents } of placed) rank = Math.min(rank, contents.get(id)!.rank);
  return rank;
}

const NOTHING_HERE: Missed = { outcome: 'nothing-here', because: null };

/**
 * What is there in the schemas that were asked for. Where an experience shows nothing and others would, it is the control:
 * an item says so, and what counts clicks stays.
 */
function itemsOf(
  placed: readonly Placed[],
  { id }: Experience,
  schemas: ReadonlySet<string> | null,
): readonly PreparedItem[] {
  const [first] = placed;
  const all = placed.length === 1 ? contentOf(first!, id) : placed.flatMap((one) => contentOf(one, id));
  if (!all.some(isContent)) {
    if (!isWanted(DEFAULT_CONTENT, schemas) || !placed.some((one) => isShownToOthers(one, schemas))) return NO_ITEMS;
    return [CONTROL, ...all.filter(({ schema }) => isWanted(schema, schemas))];
  }
  if (schemas === null) return all;
  const wanted = all.filter(({ schema }) => isWanted(schema, schemas));
  return wanted.some(isContent) ? wanted : NO_ITEMS;
}
const NO_ITEMS: readonly PreparedItem[] = [];

function contentOf({ contents }: Placed, experienceId: string): readonly PreparedItem[] {
  return contents.get(experienceId)!.items;
}

function isContent(item: PreparedItem): boolean {
  return item.isContent;
}

function isShownToOthers({ schemas: shown }: Placed, schemas: ReadonlySet<string> | null): boolean {
  for (const schema of shown) if (isWanted(schema, schemas)) return true;
  return false;
}

function propositionOf(
  { definition }: Activity,
  experience: Experience,
  { placed, scope }: Asked,
  rank: number,
  items: readonly JsonObject[],
  isPreview: boolean,
): Proposition {
  const isSurface = definition.provider === 'AJO';
  const matched = placed.map(({ place }) => place.name);
  const isView = placed[0]!.place.kind === 'view';
  return {
    id: isSurface ? uuidOf(`${definition.id}\n${experience.id}\n${scope}`) : experience.targetId,
    scope,
    scopeDetails: isSurface
      ? surfaceDetails(definition, experience.id, matched, rank)
      : isView
        ? experience.viewDetails
        : experience.pageDetails,
    offer: null,
    items,
    activityId: definition.id,
    experienceId: experience.id,
    isPreview,
  };
}
