import type { Leaf } from '../model/condition.ts';
import type { DecisionEngine, DecisionInput, Outcome, Verdict } from '../model/decision.ts';
import { CompiledEngine } from './engine.ts';

/** What one comparison, had it come out the other way and all else stayed, would have made of an activity. */
export interface Flip {
  readonly leaf: Leaf;
  /** How it came out. */
  readonly held: boolean;
  readonly outcome: Outcome;
  readonly experienceId: string | null;
}

/** The comparisons of an activity (or of an offer's place), in the order of the marks of its verdicts. Empty for one that is not known. */
export function leavesOf(engine: DecisionEngine, activityId: string): readonly Leaf[] {
  const { activities, offers } = compiledOf(engine).compiled;
  const activity = activities.find(({ definition }) => definition.id === activityId);
  return activity?.leaves ?? offers.get(activityId)?.leaves ?? [];
}

/**
 * The single comparisons that would have changed what became of an activity, or its experience, in the order of its marks. The
 * whole decision is made again for each, so that ranks and audiences shared with others are as they would have been. One that
 * was not looked at changes nothing by itself. Empty where the activity was not asked for.
 */
export function flips(engine: DecisionEngine, input: DecisionInput, activityId: string): readonly Flip[] {
  const explaining = explainingOf(compiledOf(engine));
  const before = explaining.verdictOf(input, activityId, null);
  if (before === null) return [];
  return leavesOf(engine, activityId).flatMap((leaf, place) => {
    const mark = before.marks[place];
    if (mark === undefined || mark === NOT_LOOKED_AT) return [];
    const held = mark === HELD;
    const after = explaining.verdictOf(input, activityId, { leaf, holds: !held });
    if (after === null || (after.outcome === before.outcome && after.experienceId === before.experienceId)) return [];
    return [{ leaf, held, outcome: after.outcome, experienceId: after.experienceId }];
  });
}

const NOT_LOOKED_AT = '-';
const HELD = '1';

interface Forced {
  readonly leaf: Leaf;
  readonly holds: boolean;
}

/** The same definitions, compiled with a judge that takes one leaf for what it is told to. */
class ExplainingEngine {
  readonly #engine: CompiledEngine;
  readonly #audienceMarks: number;
  #forced: (Forced & { readonly owner: string | null }) | null = null;

  constructor({ compiled }: CompiledEngine) {
    this.#audienceMarks = compiled.audienceMarks;
    this.#engine = new CompiledEngine(compiled.definitions, (owner, index, holds) => {
      const forced = this.#forced;
      if (forced === null || forced.leaf.index !== index) return holds;
      return forced.owner === null || forced.owner === owner ? forced.holds : holds;
    });
  }

  verdictOf(input: DecisionInput, activityId: string, forced: Forced | null): Verdict | null {
    const isOwn = forced !== null && forced.leaf.index >= this.#audienceMarks;
    // Offers have places of their own for their leaves: those tell whose they are.
    const isActivity = this.#engine.compiled.activities.some(({ definition }) => definition.id === activityId);
    this.#forced = forced === null ? null : { ...forced, owner: isOwn && isActivity ? activityId : null };
    try {
      return this.#engine.decide(input, null).verdicts.find((one) => one.activityId === activityId) ?? null;
    } finally {
      this.#forced = null;
    }
  }
}

const explainers = new WeakMap<CompiledEngine, ExplainingEngine>();

function explainingOf(engine: CompiledEngine): ExplainingEngine {
  let explaining = explainers.get(engine);
  if (explaining === undefined) {
    explaining = new ExplainingEngine(engine);
    explainers.set(engine, explaining);
  }
  return explaining;
}

function compiledOf(engine: DecisionEngine): CompiledEngine {
  if (engine instanceof CompiledEngine) return engine;
  throw new TypeError('Only an engine that compileDecisions made can be explained.');
}
