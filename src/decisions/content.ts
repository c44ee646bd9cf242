import type { Outcome, Proposition } from '../model/decision.ts';
import type { JsonObject } from '../model/json.ts';
import { type Activity, CONTROL, type Experience, type Placed } from './activities.ts';
import type { Asked } from './place-index.ts';
import { uuidOf } from './proposition-ids.ts';
import { DEFAULT_CONTENT, isWanted } from './schemas.ts';
import { surfaceDetails } from './scope-details.ts';
import type { Placement, Sitting } from './sitting.ts';
import type { PreparedItem } from './templates.ts';
import { atSurface } from './wire-items.ts';

export interface Missed {
  readonly outcome: Outcome;
  readonly because: string | null;
}

/**
 * The content of an experience for all that was asked of its activity, or why there is none. Where only one activity can have
 * content, the first to be judged has it.
 */
export function contentFor(
  activity: Activity,
  experience: Experience,
  asked: readonly Asked[],
  isPreview: boolean,
  sitting: Sitting,
): readonly Placement[] | Missed {
  let missed = NOTHING_HERE;
  let made: Placement[] | null = null;
  for (const one of asked) {
    const placement = placementFor(activity, experience, one, isPreview, sitting);
    if (placement === null) continue;
    const winner = placement.isSingle ? sitting.takenBy(one.askedAs) : null;
    if (winner !== null) {
      missed = { outcome: 'outranked', because: winner };
      continue;
    }
    made ??= [];
    made.push(placement);
  }
  return made ?? missed;
}

const NOTHING_HERE: Missed = { outcome: 'nothing-here', because: null };
/** Before everything else. Not 0, which the Web SDK takes for none, and puts behind all others. Observed. */
const PREVIEW_RANK = -1;

/** Null where there is nothing in the schemas that were asked for. */
function placementFor(
  activity: Activity,
  experience: Experience,
  asked: Asked,
  isPreview: boolean,
  { input }: Sitting,
): Placement | null {
  const { schemas } = input.query;
  if (!isPreview && asked.placed.length === 1) {
    const [placed] = asked.placed;
    const { ready, isContent, schemas: own } = placed!.contents[experience.index]!;
    if (ready !== null) {
      if (schemas === null) return ready;
      if (areWanted(own, schemas) && (isContent || isComparable(placed!, schemas))) return ready;
    }
  }
  const items = itemsOf(asked.placed, experience, schemas);
  if (items.length === 0) return null;
  const rank = isPreview
    ? PREVIEW_RANK
    : Math.min(...asked.placed.map(({ contents }) => contents[experience.index]!.rank));
  const made = items.map(({ make }) => make(input.facts));
  const isOfPattern = asked.placed.some(({ place }) => place.kind === 'surface' && place.name.includes('*'));
  const wire = isOfPattern ? made.map((item) => atSurface(item, asked.scope)) : made;
  return {
    proposition: propositionOf(activity, experience, asked, rank, wire, isPreview),
    askedAs: asked.askedAs,
    rank,
    isSingle: asked.placed.some(({ isSingle }) => isSingle),
  };
}

function areWanted(own: readonly string[], schemas: ReadonlySet<string>): boolean {
  for (const schema of own) if (!isWanted(schema, schemas)) return false;
  return true;
}

/**
 * What is there in the schemas that were asked for. Where an experience shows nothing and others would, it is the control:
 * an item says so (written out or not), and what counts clicks stays. Where nobody shows anything, there is only what is written.
 */
function itemsOf(
  placed: readonly Placed[],
  { index }: Experience,
  schemas: ReadonlySet<string> | null,
): readonly PreparedItem[] {
  const wanted = placed
    .flatMap(({ contents }) => contents[index]!.items)
    .filter(({ schema }) => isWanted(schema, schemas));
  if (wanted.some(({ isContent }) => isContent)) return wanted;
  if (placed.every((one) => one.schemas.size === 0)) return wanted;
  const isControl = placed.every(({ contents }) => !contents[index]!.isContent);
  if (!isControl || !isWanted(DEFAULT_CONTENT, schemas)) return NO_ITEMS;
  if (!placed.some((one) => isShownToOthers(one, schemas))) return NO_ITEMS;
  return wanted.some(({ schema }) => schema === DEFAULT_CONTENT) ? wanted : [CONTROL, ...wanted];
}
const NO_ITEMS: readonly PreparedItem[] = [];

/** Of what is there already: others are shown something by this client, or by none. */
function isComparable(placed: Placed, schemas: ReadonlySet<string>): boolean {
  return placed.schemas.size === 0 || isShownToOthers(placed, schemas);
}

function isShownToOthers({ schemas: shown }: Placed, schemas: ReadonlySet<string> | null): boolean {
  for (const schema of shown) if (isWanted(schema, schemas)) return true;
  return false;
}

export function propositionOf(
  { definition }: Activity,
  experience: Experience,
  { placed, scope }: Pick<Asked, 'placed' | 'scope'>,
  rank: number,
  items: readonly JsonObject[],
  isPreview: boolean,
): Proposition {
  const isView = placed[0]!.place.kind === 'view';
  const base = { scope, offer: null, items, activityId: definition.id, experienceId: experience.id, isPreview };
  if (definition.provider === 'TGT') {
    const scopeDetails = isView ? experience.viewDetails : experience.pageDetails;
    return { id: experience.targetId, scopeDetails, ...base };
  }
  const matched = placed.map(({ place }) => place.name);
  return {
    id: uuidOf(`${definition.id}\n${experience.id}\n${scope}`),
    scopeDetails: surfaceDetails(definition, experience.id, matched, rank),
    ...base,
  };
}
