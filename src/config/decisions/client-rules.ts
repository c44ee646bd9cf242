import { meant } from '../../model/did-you-mean.ts';
import { isObject, type Json, type JsonObject, quoted } from '../../model/json.ts';
import { named } from '../schema-findings.ts';
import type { KeyPath } from '../source.ts';

/**
 * Rules that clients evaluate: whether their rules engine can read them. One that it cannot makes the Web SDK reject its whole
 * answer, page changes and all (observed), and apps leave out the ruleset. Keys that are not known here are left alone.
 */
export interface RuleProblem {
  readonly path: KeyPath;
  readonly message: string;
}

const TYPES = ['matcher', 'group', 'historical'];
const COMPARISONS = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'];
const MATCHERS = [...COMPARISONS, 'ex', 'nx', 'co', 'nc', 'sw', 'ew'];
/** They ask for nothing but the key. */
const WITHOUT_VALUES = ['ex', 'nx'];
const OPERATIONS = ['insert', 'insertIfNotExists'];

/** `rules` of a ruleset-item. */
export function rulesProblems(at: KeyPath, rules: Json | undefined): readonly RuleProblem[] {
  const reader = new RuleReader();
  reader.rules(at, rules);
  return reader.problems;
}

/** The condition of one rule. */
export function ruleConditionProblems(at: KeyPath, condition: Json): readonly RuleProblem[] {
  const reader = new RuleReader();
  reader.condition(at, condition);
  return reader.problems;
}

/** With what was written for it, where that is to be seen. */
export function missingKey(at: KeyPath, map: JsonObject, key: string): string {
  const written = meant(key, Object.keys(map));
  const remedy = written === null ? `Add '${key}'.` : `Is '${written}' meant for it?`;
  return `The key '${key}' is missing in ${named(at)}. ${remedy}`;
}

class RuleReader {
  readonly problems: RuleProblem[] = [];

  rules(at: KeyPath, rules: Json | undefined): void {
    if (!Array.isArray(rules)) this.#wrong(at, rules, 'a list of rules');
    else for (const [index, rule] of rules.entries()) this.#rule([...at, index], rule);
  }

  condition(at: KeyPath, condition: Json): void {
    if (!isObject(condition)) {
      this.#wrong(at, condition, 'a map of type and definition');
      return;
    }
    const type = this.#oneOf(at, condition, 'type', TYPES);
    const definition = this.#map(at, condition, 'definition');
    if (type === null || definition === null) return;
    const path = [...at, 'definition'];
    if (type === 'matcher') this.#matcher(path, definition);
    else if (type === 'group') this.#group(path, definition);
    else this.#historical(path, definition);
  }

  #rule(at: KeyPath, rule: Json): void {
    if (!isObject(rule)) {
      this.#wrong(at, rule, 'a map of condition and consequences');
      return;
    }
    const condition = this.#map(at, rule, 'condition');
    if (condition !== null) this.condition([...at, 'condition'], condition);
    for (const [index, one] of this.#list(at, rule, 'consequences').entries()) {
      this.#consequence([...at, 'consequences', index], one);
    }
  }

  #matcher(at: KeyPath, definition: JsonObject): void {
    this.#text(at, definition, 'key');
    const matcher = this.#oneOf(at, definition, 'matcher', MATCHERS);
    if (matcher !== null && !WITHOUT_VALUES.includes(matcher)) this.#list(at, definition, 'values');
  }

  #group(at: KeyPath, definition: JsonObject): void {
    this.#oneOf(at, definition, 'logic', ['and', 'or']);
    for (const [index, condition] of this.#list(at, definition, 'conditions').entries()) {
      this.condition([...at, 'conditions', index], condition);
    }
  }

  #historical(at: KeyPath, definition: JsonObject): void {
    this.#list(at, definition, 'events');
    this.#oneOf(at, definition, 'matcher', COMPARISONS);
    const { value } = definition;
    if (value === undefined) this.#missing(at, definition, 'value');
    else if (typeof value !== 'number') this.#wrong([...at, 'value'], value, 'a number');
  }

  /** Without a type it is 'schema', which is filled in. */
  #consequence(at: KeyPath, consequence: Json): void {
    if (!isObject(consequence)) {
      this.#wrong(at, consequence, 'a map with a detail');
      return;
    }
    const detail = this.#map(at, consequence, 'detail');
    if (detail === null || (consequence['type'] ?? 'schema') !== 'schema') return;
    const path = [...at, 'detail'];
    const schema = this.#text(path, detail, 'schema');
    const data = this.#map(path, detail, 'data');
    if (schema === null || data === null) return;
    if (schema.endsWith('/message/in-app')) {
      for (const key of ['content', 'contentType']) {
        if (data[key] === undefined) this.#missing([...path, 'data'], data, key);
      }
    } else if (schema.endsWith('/eventHistoryOperation')) this.#historyOperation([...path, 'data'], data);
  }

  #historyOperation(at: KeyPath, data: JsonObject): void {
    this.#oneOf(at, data, 'operation', OPERATIONS);
    const content = this.#map(at, data, 'content');
    if (content === null) return;
    for (const key of ['iam.id', 'iam.eventType']) this.#text([...at, 'content'], content, key);
  }

  #map(at: KeyPath, map: JsonObject, key: string): JsonObject | null {
    const value = map[key];
    if (isObject(value)) return value;
    if (value === undefined) this.#missing(at, map, key);
    else this.#wrong([...at, key], value, 'a map');
    return null;
  }

  #list(at: KeyPath, map: JsonObject, key: string): readonly Json[] {
    const value = map[key];
    if (Array.isArray(value)) return value;
    if (value === undefined) this.#missing(at, map, key);
    else this.#wrong([...at, key], value, 'a list');
    return [];
  }

  #text(at: KeyPath, map: JsonObject, key: string): string | null {
    const value = map[key];
    if (typeof value === 'string' && value !== '') return value;
    if (value === undefined) this.#missing(at, map, key);
    else this.#wrong([...at, key], value, 'a text');
    return null;
  }

  #oneOf(at: KeyPath, map: JsonObject, key: string, known: readonly string[]): string | null {
    const value = map[key];
    if (typeof value === 'string' && known.includes(value)) return value;
    if (value === undefined) this.#missing(at, map, key);
    else this.#wrong([...at, key], value, `one of: ${known.join(', ')}`);
    return null;
  }

  #missing(at: KeyPath, map: JsonObject, key: string): void {
    this.problems.push({ path: at, message: missingKey(at, map, key) });
  }

  #wrong(at: KeyPath, value: Json | undefined, wanted: string): void {
    const shown = Array.isArray(value) ? 'a list' : isObject(value) ? 'a map' : quoted(value ?? null);
    this.problems.push({ path: at, message: `${named(at)} is ${shown}. It takes ${wanted}.` });
  }
}
