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
 * whole decision is made again for each, so that ranks and audiences shared with others are as they would have been: who makes
 * the same comparison finds the same. One that was not looked at changes nothing by itself. Empty where the activity was not
 * asked for.
 */
export function flips(engine: DecisionEngine, input: DecisionInput, activityId: string): readonly Flip[] {
  const explaining = explainingOf(compiledOf(engine));
  const before = explaining.verdictOf(input, activityId, null);
  if (before === null) return [];
  const tried = new Set<string>();
  return leavesOf(engine, activityId).flatMap((leaf, place) => {
    const mark = before.marks[place];
    if (mark === undefined || mark === NOT_LOOKED_AT || tried.has(leaf.comparison)) return [];
    tried.add(leaf.comparison);
    const held = mark === HELD;
    const after = explaining.verdictOf(input, activityId, { comparison: leaf.comparison, holds: !held });
    if (after === null || (after.outcome === before.outcome && after.experienceId === before.experienceId)) return [];
    return [{ leaf, held, outcome: after.outcome, experienceId: after.experienceId }];
  });
}

const NOT_LOOKED_AT = '-';
const HELD = '1';

interface Forced {
  readonly comparison: string;
  readonly holds: boolean;
}

/** The same definitions, compiled with a judge that takes one comparison for what it is told to. */
class ExplainingEngine {
  readonly #engine: CompiledEngine;
  #forced: Forced | null = null;

  constructor({ compiled }: CompiledEngine) {
    this.#engine = new CompiledEngine(compiled.definitions, (comparison, holds) =>
      this.#forced?.comparison === comparison ? this.#forced.holds : holds,
    );
  }

  verdictOf(input: DecisionInput, activityId: string, forced: Forced | null): Verdict | null {
    this.#forced = forced;
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
