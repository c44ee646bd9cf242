import type { Condition, Leaf } from '../model/condition.ts';
import type { ActivityDefinition, ExperienceDefinition, Place } from '../model/decision-definitions.ts';
import type { JsonObject } from '../model/json.ts';
import { type HashedText, hashed, targetBounds } from './draws.ts';
import type { ExclusionGroup } from './exclusion.ts';
import { targetId } from './proposition-ids.ts';
import { DEFAULT_CONTENT, SINGLE } from './schemas.ts';
import { rankOf, targetDetails } from './scope-details.ts';
import { type PreparedItem, prepareItem } from './templates.ts';
import { DEFAULT_ITEM, wireItem } from './wire-items.ts';

/** An activity as it is asked: conditions compiled, what is drawn for hashed, items made. */
export interface Activity {
  readonly definition: ActivityDefinition;
  /** Place in the order of judging. */
  readonly order: number;
  /** What is wrong with it, so that it can never be judged; null. */
  readonly problem: string | null;
  readonly when: Condition | null;
  readonly experiences: readonly Experience[];
  readonly experienceById: ReadonlyMap<string, Experience>;
  readonly group: ExclusionGroup | null;
  /** Index of its requirement among those of all activities. */
  readonly requirement: number;
  /** What it writes of `marks`: from, and the first that it does not. */
  readonly marksFrom: number;
  readonly marksTo: number;
  /** In the order of a verdict's marks: of its own conditions, then of the audiences that they name. */
  readonly leaves: readonly Leaf[];
  readonly leafIndexes: readonly number[];
  readonly traffic: HashedText;
  readonly holdout: HashedText;
}

export interface Experience {
  readonly id: string;
  readonly weight: number;
  readonly when: Condition | null;
  readonly share: HashedText;
  /** Last bucket of its interval, where buckets are Adobe Target's. */
  readonly lastBucket: number;
  readonly targetId: string;
  readonly pageDetails: JsonObject;
  readonly viewDetails: JsonObject;
}

/** The content of one activity for one of its places. */
export interface Placed {
  readonly activity: Activity;
  readonly place: Place;
  /** Only one activity can have content here. */
  readonly isSingle: boolean;
  readonly contents: ReadonlyMap<string, PlacedContent>;
  /** Of what experiences show here. Who asks for none of them would not see the others either, so the control is not shown. */
  readonly schemas: ReadonlySet<string>;
}

export interface PlacedContent {
  readonly items: readonly PreparedItem[];
  readonly rank: number;
}

/** An experience without an item for a place where others have one: the control. */
export const CONTROL: PreparedItem = { schema: DEFAULT_CONTENT, isContent: true, make: () => DEFAULT_ITEM };

export function compileExperiences(
  activity: ActivityDefinition,
  conditionOf: (experience: ExperienceDefinition) => Condition | null,
): readonly Experience[] {
  const bounds = targetBounds(activity.experiences.map(({ weight }) => weight));
  return activity.experiences.map((experience, index) => ({
    id: experience.id,
    weight: experience.weight,
    when: conditionOf(experience),
    share: hashed(`${activity.id}\nexperience\n${experience.id}`),
    lastBucket: bounds[index]!,
    targetId: targetId(activity.id, experience.id),
    pageDetails: targetDetails(activity.id, experience.id, false),
    viewDetails: targetDetails(activity.id, experience.id, true),
  }));
}

/** Throws where a template is wrong. */
export function placedContents(activity: Activity): readonly Placed[] {
  const { definition } = activity;
  const places = new Map<
    string,
    { place: Place; contents: Map<string, PreparedItem[]>; ranks: Map<string, (number | null)[]> }
  >();
  for (const experience of definition.experiences) {
    for (const item of experience.items) {
      const key = `${item.place.kind}\n${item.place.name}`;
      let at = places.get(key);
      if (at === undefined) {
        at = { place: item.place, contents: new Map(), ranks: new Map() };
        places.set(key, at);
      }
      push(at.contents, experience.id, prepareItem(item.schema, wireItem(item, definition)));
      push(at.ranks, experience.id, item.rank);
    }
  }
  return [...places.values()].map(({ place, contents, ranks }) => {
    const schemas = new Set(
      [...contents.values()]
        .flat()
        .filter(({ isContent }) => isContent)
        .map(({ schema }) => schema),
    );
    return {
      ...{ activity, place, schemas },
      isSingle: isSingle(place, schemas),
      contents: new Map(
        definition.experiences.map(({ id }) => [
          id,
          { items: contents.get(id) ?? [], rank: rankOf(ranks.get(id) ?? [], definition.priority) },
        ]),
      ),
    };
  });
}

/** All may change a page or a view; a named scope has one; a surface has any number of messages, and one of what is put in its place. */
function isSingle({ kind, name }: Place, schemas: ReadonlySet<string>): boolean {
  if (kind === 'surface') return [...schemas].some((schema) => SINGLE.has(schema));
  return kind === 'scope' && name !== PAGE;
}

/** The scope of a page, by which clients get its views too. Documented. */
export const PAGE = '__view__';

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
