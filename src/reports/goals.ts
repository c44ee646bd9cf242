import { compileAudiences } from '../language/audiences.ts';
import { compileCondition, isCondition } from '../language/condition.ts';
import { makeFacts } from '../language/facts.ts';
import { factNamesOf, factReader } from '../language/paths.ts';
import { ZoneTime } from '../language/zone-time.ts';
import type { Facts } from '../model/condition.ts';
import type { DecisionDefinitions, GoalDefinition } from '../model/decision-definitions.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { StoredEvent } from '../model/record.ts';
import type { Goal } from './tally.ts';

export interface CompiledGoals {
  readonly goals: readonly Goal[];
  /** A sentence each: goals that cannot be looked for, and are left out; and those that look at what no record holds. */
  readonly warnings: readonly string[];
}

/** Facts that only the request has, not the record of its event. */
const NOT_KEPT: readonly string[] = ['profile', 'client'];

/** The goals of one activity, by the org's audiences. An event is looked at as it is stored, at the time when it occurred. */
export function compileGoals(definitions: DecisionDefinitions, goals: readonly GoalDefinition[]): CompiledGoals {
  const warnings: string[] = [];
  const compiled: Goal[] = [];
  const rules = new Map(definitions.audiences.map(({ id, when }) => [id, when]));
  const { conditions: audiences, nextLeaf: firstLeaf } = compileAudiences(rules, { firstLeaf: 0 });
  const factsOf = factsMaker(new ZoneTime(definitions.timeZone));
  for (const { id, name, count, windowMs, when, value } of goals) {
    const condition = compileCondition(when, { audiences, firstLeaf });
    if (!isCondition(condition)) {
      const [first] = condition;
      warnings.push(`The goal '${id}' is not counted: ${first!.message}`);
      continue;
    }
    const names = value === null ? null : factNamesOf(value);
    if (typeof names === 'string') {
      warnings.push(`The goal '${id}' is not counted: ${names}`);
      continue;
    }
    const reads = [...condition.reads, ...(value === null ? [] : [value])].map((path) => path.split('.', 1)[0]!);
    const missing = NOT_KEPT.filter((fact) => reads.includes(fact));
    if (missing.length > 0) {
      warnings.push(
        `The goal '${id}' looks at ${missing.map((fact) => `'${fact}'`).join(' and ')}, which is not kept with an event: it finds nothing there. Look at xdm, data, consent, page or time.`,
      );
    }
    const marks = new Uint8Array(firstLeaf + condition.leaves.length);
    const read = names === null ? null : factReader(names);
    compiled.push({
      ...{ id, name, count, windowMs },
      valueOf(event) {
        const facts = factsOf(event);
        marks.fill(0);
        if (!condition.test(facts, marks)) return null;
        return read === null ? 1 : numberOf(read(facts));
      },
    });
  }
  return { goals: compiled, warnings };
}

/** The goals of an activity ask for the facts of one event after the other: they are made once. */
function factsMaker(zone: ZoneTime): (event: StoredEvent) => Facts {
  let last: StoredEvent | null = null;
  let facts: Facts | null = null;
  return (event) => {
    if (facts !== null && last === event) return facts;
    const { xdm, data, consent, occurredAtMs } = event;
    last = event;
    facts = makeFacts({ xdm, data, consent, profile: NOTHING, client: () => NOTHING, nowMs: occurredAtMs }, zone);
    return facts;
  };
}
const NOTHING: JsonObject = Object.freeze({});

/** NaN for what is no number: a text of digits is none. */
function numberOf(value: Json): number {
  return typeof value === 'number' ? value : Number.NaN;
}
