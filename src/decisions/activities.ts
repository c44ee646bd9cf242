import type { Condition, Conjunction, Leaf } from '../model/condition.ts';
import type { ActivityDefinition, ExperienceDefinition, Place } from '../model/decision-definitions.ts';
import type { JsonObject } from '../model/json.ts';
import { type HashedText, hashed, targetBounds } from './draws.ts';
import type { ExclusionGroup } from './exclusion.ts';
import { targetId } from './proposition-ids.ts';
import { DEFAULT_CONTENT } from './schemas.ts';
import { targetDetails } from './scope-details.ts';
import type { Placement } from './sitting.ts';
import type { PreparedItem } from './templates.ts';
import type { Refusals } from './verdicts.ts';
import { DEFAULT_ITEM } from './wire-items.ts';

/** An activity as it is asked: conditions compiled, what is drawn for hashed, items made. */
export interface Activity {
  readonly id: string;
  readonly definition: ActivityDefinition;
  /** No property token, schedule, group or caps: most have none, and are not asked about each. */
  readonly isPlain: boolean;
  /** Place in the order of judging. */
  readonly order: number;
  /** What is wrong with it, so that it can never be judged; null. */
  readonly problem: string | null;
  readonly when: Condition | null;
  /** Of `when`, where no experience has leaves, so that it says all that a refusal tells; else null. */
  readonly conjunction: Conjunction | null;
  readonly experiences: readonly Experience[];
  /** All have the same weight: what is drawn is enough to choose. */
  readonly isEven: boolean;
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
  readonly refusals: Refusals;
  readonly traffic: HashedText;
  readonly holdout: HashedText;
}

export interface Experience {
  readonly id: string;
  readonly index: number;
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
  /** By index of the experience. */
  readonly contents: readonly PlacedContent[];
  /** Of what experiences show here. Who asks for none of them would not see the others either, so the control is not shown. */
  readonly schemas: ReadonlySet<string>;
}

export interface PlacedContent {
  readonly items: readonly PreparedItem[];
  readonly rank: number;
  /** It shows something, other than what is there already. */
  readonly isContent: boolean;
  /** Of all items, each once. */
  readonly schemas: readonly string[];
  /** All of it as it is answered, where nothing of it depends on the request; else null. */
  readonly ready: Placement | null;
}

/** An experience without an item for a place where others have one: the control. */
export const CONTROL: PreparedItem = {
  schema: DEFAULT_CONTENT,
  isContent: false,
  fixed: DEFAULT_ITEM,
  make: () => DEFAULT_ITEM,
};

export function compileExperiences(
  activity: ActivityDefinition,
  conditionOf: (experience: ExperienceDefinition) => Condition | null,
): readonly Experience[] {
  const bounds = targetBounds(activity.experiences.map(({ weight }) => weight));
  return activity.experiences.map((experience, index) => ({
    id: experience.id,
    index,
    weight: experience.weight,
    when: conditionOf(experience),
    share: hashed(`${activity.id}\nexperience\n${experience.id}`),
    lastBucket: bounds[index]!,
    targetId: targetId(activity.id, experience.id),
    pageDetails: targetDetails(activity.id, experience.id, false),
    viewDetails: targetDetails(activity.id, experience.id, true),
  }));
}

/** The scope of a page, by which clients get its views too. Documented. */
export const PAGE = '__view__';
