import type { ComparisonsOnce } from '../language/shared-comparisons.ts';
import type { Condition, Leaf } from '../model/condition.ts';
import { PERSONALIZING, type Requirement } from '../model/consent-gate.ts';
import type { ActivityDefinition, DecisionDefinitions } from '../model/decision-definitions.ts';
import { canonicalJson, type Json } from '../model/json.ts';
import { type Activity, compileExperiences, type Placed } from './activities.ts';
import { Conditions, type Judge } from './conditions.ts';
import { type HashedText, hashed } from './draws.ts';
import { type ExclusionGroup, exclusionGroups } from './exclusion.ts';
import { messageOf } from './failures.ts';
import { indexesOf } from './marks.ts';
import { compileOffers, type OfferPlace } from './offers.ts';
import { brokenPlaces, placedContents } from './placed.ts';
import { Refusals } from './verdicts.ts';

/** What definitions come to once conditions are closures and items are made. Nothing in it changes, but for what `once` remembers. */
export interface Compiled {
  readonly definitions: DecisionDefinitions;
  /** In the order of judging: the highest priority first, then the smallest id. */
  readonly activities: readonly Activity[];
  readonly placed: readonly Placed[];
  readonly offers: ReadonlyMap<string, OfferPlace>;
  /** Each once, whoever has it. The first one is that of offers and segments. */
  readonly requirements: readonly Requirement[];
  readonly segments: readonly Named[];
  readonly pushes: readonly (Named & { readonly requirement: number })[];
  readonly globalHoldout: HashedText;
  readonly once: ComparisonsOnce;
  /** Places of `marks` that keep what is known of audiences throughout a decision. */
  readonly audienceMarks: number;
  readonly marks: number;
}

/** `when` null: for everybody. */
interface Named {
  readonly id: string;
  readonly when: Condition | null;
  readonly problem: string | null;
}

/**
 * Never throws: what is wrong with an activity makes it `broken`, and nothing else. Configuration is checked before it gets
 * here, so that only definitions of another version are wrong.
 */
export function compile(definitions: DecisionDefinitions, judge: Judge | null): Compiled {
  const conditions = new Conditions(definitions.audiences, judge);
  const offers = compileOffers(definitions.offers, conditions);
  const activities = new ActivityCompiler(definitions, conditions, offers.end);
  const sorted = definitions.activities.toSorted((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
  const compiled = sorted.map((activity, order) => activities.compile(activity, order));
  const pushes = definitions.pushes.map((push) => ({
    ...activities.named(push.id, push.when),
    requirement: activities.requirement(push.requires),
  }));
  return {
    definitions,
    activities: compiled.map(({ activity }) => activity),
    placed: compiled.flatMap(({ placed }) => placed),
    offers: offers.places,
    segments: definitions.audiences
      .filter(({ segment }) => segment !== null)
      .map(({ id }) => ({ id, when: conditions.audiences.get(id) ?? NOBODY, problem: null })),
    pushes,
    requirements: activities.requirements,
    globalHoldout: hashed(`${definitions.orgId}\nholdout`),
    once: conditions.once,
    audienceMarks: conditions.end,
    marks: activities.marks,
  };
}

/** Of an audience that does not compile. */
const NOBODY: Condition = { test: () => false, leaves: [], reads: [], conjunction: null };

class ActivityCompiler {
  readonly requirements: Requirement[] = [PERSONALIZING];
  /** Length of `marks` that all need. */
  marks: number;
  readonly #conditions: Conditions;
  readonly #groups: ReadonlyMap<string, ExclusionGroup>;
  readonly #marksFrom: number;
  readonly #requirementIndexes = new Map<string, number>([[canonicalJson(PERSONALIZING as Json), 0]]);

  constructor(definitions: DecisionDefinitions, conditions: Conditions, marksFrom: number) {
    this.#conditions = conditions;
    this.#groups = exclusionGroups(definitions.activities);
    this.#marksFrom = marksFrom;
    this.marks = marksFrom;
  }

  compile(definition: ActivityDefinition, order: number): { activity: Activity; placed: readonly Placed[] } {
    try {
      const activity = this.#activity(definition, order);
      return { activity, placed: placedContents(activity) };
    } catch (error) {
      const activity = this.#broken(definition, order, messageOf(error));
      return { activity, placed: brokenPlaces(activity) };
    }
  }

  named(id: string, when: Json | null): Named {
    try {
      return { id, when: when === null ? null : this.#condition(when, this.#marksFrom), problem: null };
    } catch (error) {
      return { id, when: null, problem: messageOf(error) };
    }
  }

  requirement(requires: Requirement): number {
    const key = canonicalJson(requires as Json);
    const known = this.#requirementIndexes.get(key);
    if (known !== undefined) return known;
    this.#requirementIndexes.set(key, this.requirements.length);
    return this.requirements.push(requires) - 1;
  }

  #activity(definition: ActivityDefinition, order: number): Activity {
    let end = this.#marksFrom;
    const own: Leaf[] = [];
    const compiled = (rule: Json | null): Condition | null => {
      if (rule === null) return null;
      const condition = this.#condition(rule, end);
      own.push(...condition.leaves);
      end += condition.leaves.length;
      return condition;
    };
    const when = compiled(definition.when);
    const isTargeted = definition.kind === 'targeted';
    const experiences = compileExperiences(definition, (experience) => (isTargeted ? compiled(experience.when) : null));
    const rules = [definition.when, ...(isTargeted ? definition.experiences.map((experience) => experience.when) : [])];
    const leaves = [...own, ...this.#conditions.leavesOfNamed(rules)];
    return this.#made(definition, order, null, { when, experiences, leaves, marksTo: end });
  }

  #broken(definition: ActivityDefinition, order: number, problem: string): Activity {
    const marksTo = this.#marksFrom;
    return this.#made(definition, order, problem, { when: null, experiences: [], leaves: [], marksTo });
  }

  /** In one literal: put together by spreading, activities have shapes by the dozen, and reading them takes twice as long. */
  #made(
    definition: ActivityDefinition,
    order: number,
    problem: string | null,
    { when, experiences, leaves, marksTo }: Pick<Activity, 'when' | 'experiences' | 'leaves' | 'marksTo'>,
  ): Activity {
    const { id, exclusionGroup } = definition;
    const leafIndexes = indexesOf(leaves);
    return {
      id,
      definition,
      isPlain: isPlain(definition),
      order,
      problem,
      when,
      conjunction: when?.leaves.length === leaves.length ? when.conjunction : null,
      experiences,
      isEven: new Set(experiences.map(({ weight }) => weight)).size === 1 && experiences[0]!.weight > 0,
      experienceById: new Map(experiences.map((experience) => [experience.id, experience])),
      group: exclusionGroup === null ? null : (this.#groups.get(exclusionGroup) ?? null),
      requirement: this.requirement(definition.requires),
      marksFrom: this.#marksFrom,
      marksTo,
      leaves,
      leafIndexes,
      refusals: new Refusals(id, leaves.length),
      traffic: hashed(`${id}\ntraffic`),
      holdout: hashed(`${id}\nholdout`),
    };
  }

  #condition(rule: Json, firstLeaf: number): Condition {
    const condition = this.#conditions.compile(rule, firstLeaf);
    this.marks = Math.max(this.marks, firstLeaf + condition.leaves.length);
    return condition;
  }
}

function isPlain({ propertyToken, startMs, endMs, exclusionGroup, caps }: ActivityDefinition): boolean {
  return [propertyToken, startMs, endMs, exclusionGroup].every((one) => one === null) && caps.length === 0;
}
