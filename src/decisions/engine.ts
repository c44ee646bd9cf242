import type { Decision, DecisionEngine, DecisionInput, Proposition, Verdict } from '../model/decision.ts';
import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import { offerPlaceId } from '../model/offer-place.ts';
import type { Activity } from './activities.ts';
import { type Compiled, compile } from './compile.ts';
import type { Judge } from './conditions.ts';
import { messageOf } from './failures.ts';
import { judge } from './judge.ts';
import { type AskedOffers, judgeOffers } from './judge-offers.ts';
import { parseOfferScope } from './offer-scopes.ts';
import { type Asked, type AskedActivity, PlaceIndex } from './place-index.ts';
import { Sitting } from './sitting.ts';
import { MadeVerdict } from './verdicts.ts';

/** Compiles the definitions of one org. Never throws: what is wrong with an activity makes it `broken`, and nothing else. */
export function compileDecisions(definitions: DecisionDefinitions): DecisionEngine {
  return new CompiledEngine(definitions, null);
}

/** Verdicts between two looks at the clock. One takes some tenths of a microsecond, and at the very most a few milliseconds. */
const VERDICTS_BETWEEN_LOOKS = 8;

export class CompiledEngine implements DecisionEngine {
  readonly hash: string;
  readonly compiled: Compiled;
  readonly #marks: Uint8Array;
  readonly #indexes = new Map<string, PlaceIndex>();
  /** With activities that are not enabled, which only previews show. */
  readonly #previewIndexes = new Map<string, PlaceIndex>();

  constructor(definitions: DecisionDefinitions, judging: Judge | null) {
    this.compiled = compile(definitions, judging);
    this.hash = definitions.hash;
    this.#marks = new Uint8Array(this.compiled.marks);
    const named = new Set(definitions.activities.flatMap(({ datastreams }) => datastreams ?? []));
    for (const datastreamId of [OTHERS, ...named]) this.#index(datastreamId, false);
  }

  decide(input: DecisionInput, isOver: ((verdicts: number) => boolean) | null): Decision {
    const asked = this.#asked(input);
    const offers = this.#askedOffers(input);
    if (asked.length === 0 && offers.length === 0 && !input.wantsActivation) return NOTHING;
    this.#marks.fill(0, 0, this.compiled.audienceMarks);
    this.compiled.once.begin();
    const sitting = new Sitting(this.compiled, input, this.#marks);
    const verdicts = judgedActivities(asked, sitting, isOver);
    for (const one of offers) {
      verdicts.push(isOver?.(verdicts.length) === true ? outOfTime(one.place.id) : judgedOffers(one, sitting));
    }
    const { segments, pushes } = input.wantsActivation ? this.#activation(sitting, verdicts) : NOTHING;
    return { propositions: inOrder(sitting), verdicts, segments, pushes, assigned: sitting.assigned };
  }

  #activation(sitting: Sitting, verdicts: Verdict[]): Pick<Decision, 'segments' | 'pushes'> {
    const { facts } = sitting.input;
    const { segments, pushes } = this.compiled;
    const holds = ({ id, when, problem }: (typeof segments)[number], requirement: number): boolean => {
      if (sitting.missingConsent(requirement) !== null) return false;
      try {
        if (problem !== null) throw new Error(problem);
        return when === null || when.test(facts, sitting.marks);
      } catch (error) {
        verdicts.push(broken(id, error));
        return false;
      }
    };
    return {
      segments: segments.filter((segment) => holds(segment, 0)).map(({ id }) => id),
      pushes: pushes.filter((push) => holds(push, push.requirement)).map(({ id }) => id),
    };
  }

  #asked({ query, datastreamId, preview }: DecisionInput): readonly AskedActivity[] {
    const { scopes, surfaces } = query;
    if (scopes.length === 0 && surfaces.length === 0) return NO_ACTIVITIES;
    if (preview === null) {
      return (this.#indexes.get(datastreamId) ?? this.#indexes.get(OTHERS)!).find(scopes, surfaces);
    }
    const all = this.#index(datastreamId, true).find(scopes, surfaces);
    const previewed = all.filter(({ activity }) => preview.has(activity.definition.id));
    const others = all.filter(({ activity: { definition } }) => definition.enabled && !preview.has(definition.id));
    return [...previewed, ...others];
  }

  /** Of a datastream that no activity names, those that run in all. */
  #index(datastreamId: string, forPreview: boolean): PlaceIndex {
    const indexes = forPreview ? this.#previewIndexes : this.#indexes;
    const key = forPreview && !this.#indexes.has(datastreamId) ? OTHERS : datastreamId;
    const known = indexes.get(key);
    if (known !== undefined) return known;
    const index = new PlaceIndex(
      this.compiled.placed.filter(({ activity: { definition } }) => {
        const { datastreams, enabled } = definition;
        return (enabled || forPreview) && (datastreams === null || datastreams.includes(key));
      }),
    );
    indexes.set(key, index);
    return index;
  }

  #askedOffers({ query: { scopes } }: DecisionInput): readonly AskedOffers[] {
    const { offers } = this.compiled;
    if (offers.size === 0) return NO_OFFERS;
    const asked: AskedOffers[] = [];
    for (let position = 0; position < scopes.length; position++) {
      const scope = scopes[position]!;
      const named = parseOfferScope(scope);
      if (named === null || scopes.indexOf(scope) < position) continue;
      const place = offers.get(offerPlaceId(named.decisionId, named.placementId));
      if (place !== undefined) asked.push({ place, scope, itemCount: named.itemCount });
    }
    return asked;
  }
}

/** No datastream has this id. */
const OTHERS = '';
const NO_ACTIVITIES: readonly AskedActivity[] = [];
const NO_OFFERS: readonly AskedOffers[] = [];
const NOTHING: Decision = { propositions: [], verdicts: [], segments: [], pushes: [], assigned: null };

/** A list of the length that it comes to, since one that grows with each verdict is copied again and again. */
function judgedActivities(
  asked: readonly AskedActivity[],
  sitting: Sitting,
  isOver: ((verdicts: number) => boolean) | null,
): Verdict[] {
  const verdicts = new Array<Verdict>(asked.length);
  let isLate = false;
  for (let i = 0; i < asked.length; i++) {
    const { activity, asked: ofIt } = asked[i]!;
    if (isOver !== null && !isLate && i % VERDICTS_BETWEEN_LOOKS === 0) isLate = isOver(i);
    verdicts[i] = isLate ? outOfTime(activity.id) : judged(activity, ofIt, sitting);
  }
  return verdicts;
}

function judged(activity: Activity, asked: readonly Asked[], sitting: Sitting): Verdict {
  try {
    return judge(activity, asked, sitting);
  } catch (error) {
    return broken(activity.id, error);
  }
}

function judgedOffers(asked: AskedOffers, sitting: Sitting): Verdict {
  try {
    return judgeOffers(asked, sitting);
  } catch (error) {
    return broken(asked.place.id, error);
  }
}

/** What was asked first comes first; at one place, the smaller rank. */
function inOrder({ placements, input: { query } }: Sitting): readonly Proposition[] {
  const first = placements[0];
  if (first === undefined) return NOTHING.propositions;
  let isSorted = true;
  for (let i = 1; i < placements.length && isSorted; i++) {
    isSorted = placements[i]!.askedAs === first.askedAs && placements[i]!.rank >= placements[i - 1]!.rank;
  }
  if (!isSorted) {
    const asked = [...query.scopes, ...query.surfaces];
    const places = new Map(placements.map(({ askedAs }) => [askedAs, asked.indexOf(askedAs)]));
    placements.sort((a, b) => places.get(a.askedAs)! - places.get(b.askedAs)! || a.rank - b.rank);
  }
  return placements.map(({ proposition }) => proposition);
}

function broken(activityId: string, error: unknown): Verdict {
  return new MadeVerdict(activityId, 'broken', null, null, '', messageOf(error));
}

function outOfTime(activityId: string): Verdict {
  return new MadeVerdict(activityId, 'out-of-time', null, null, '', null);
}
