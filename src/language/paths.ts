import { FACTS, type Facts } from '../model/condition.ts';
import { meant } from '../model/did-you-mean.ts';
import type { Json, JsonObject } from '../model/json.ts';
import { PATH_CHARACTERS_MAX, PATH_NAMES_MAX } from './limits.ts';

/** Dotted paths: "profile.tier", "xdm.productListItems.0.SKU"; a dot that belongs to a name is written `\.`. */

/** The names of a path, or a sentence that says what is wrong with it. */
export function namesOf(path: string): readonly string[] | string {
  if (path.length > PATH_CHARACTERS_MAX) {
    return `A path has ${path.length} characters; at most ${PATH_CHARACTERS_MAX} are taken.`;
  }
  const names = path.split(/(?<!\\)\./).map((name) => name.replaceAll('\\.', '.'));
  if (names.includes('')) return `The path '${path}' has an empty name. Write names with single dots between them.`;
  if (names.length > PATH_NAMES_MAX) {
    return `The path '${path}' has ${names.length} names; at most ${PATH_NAMES_MAX} are taken.`;
  }
  return names;
}

/** What is under facts that Weir makes itself: a name that is not here is a mistake. */
const MADE: Readonly<Record<string, readonly string[]>> = {
  client: ['browser', 'os', 'device', 'deviceType', 'isBot', 'hints'],
  'client.browser': ['name', 'version', 'major'],
  'client.os': ['name', 'version'],
  'client.device': ['vendor', 'model'],
  page: ['url', 'scheme', 'host', 'path', 'query', 'fragment', 'referrer'],
  'page.referrer': ['url', 'scheme', 'host', 'path', 'query', 'fragment'],
  time: ['now', 'date', 'hour', 'minute', 'weekday'],
};

/** What is wrong with names as a path into the facts: a sentence; null where nothing is. */
export function factProblem(names: readonly string[]): string | null {
  const path = names.join('.');
  if (!(FACTS as readonly string[]).includes(names[0]!)) return unknownName(names[0]!, path, 'fact', FACTS);
  let parent = names[0]!;
  for (let i = 1; i < names.length; i++) {
    const known = Object.hasOwn(MADE, parent) ? MADE[parent]! : null;
    if (known !== null && !known.includes(names[i]!)) return unknownName(names[i]!, path, `part of '${parent}'`, known);
    parent = `${parent}.${names[i]}`;
  }
  return null;
}

/** The names of a path into the facts, or a sentence that says what is wrong with it. */
export function factNamesOf(path: string): readonly string[] | string {
  const names = namesOf(path);
  return typeof names === 'string' ? names : (factProblem(names) ?? names);
}

function unknownName(name: string, path: string, what: string, known: readonly string[]): string {
  const guess = meant(name, known);
  const remedy = guess === null ? `Known: ${known.join(', ')}.` : `Did you mean '${guess}'?`;
  return `The path '${path}' begins at '${name}', which is no ${what}. ${remedy}`;
}

/** Reads a path from the facts; null where it leads nowhere. The first name is one of FACTS. */
export function factReader(names: readonly string[]): (facts: Facts) => Json {
  const fact = FACT_READERS[names[0] as keyof Facts];
  const [a, b, c] = names.slice(1).map(step);
  if (a === undefined) return fact;
  if (b === undefined) return (facts) => a(fact(facts));
  if (c === undefined) return (facts) => b(a(fact(facts)));
  if (names.length === 4) return (facts) => c(b(a(fact(facts))));
  const rest = valueReader(names.slice(1));
  return (facts) => rest(fact(facts));
}

/** One function each, so that V8 knows what it reads: by a name in a variable it takes three times as long. */
const FACT_READERS: Readonly<Record<keyof Facts, (facts: Facts) => Json>> = {
  xdm: (facts) => facts.xdm,
  data: (facts) => facts.data,
  profile: (facts) => facts.profile,
  consent: (facts) => facts.consent,
  client: (facts) => facts.client,
  page: (facts) => facts.page,
  time: (facts) => facts.time,
};

/** Reads a path from a value. */
export function valueReader(names: readonly string[]): (value: Json) => Json {
  const steps = names.map(step);
  const [first] = steps;
  if (first === undefined) return (value) => value;
  if (steps.length === 1) return first;
  return (value) => {
    let found = value;
    for (let i = 0; i < steps.length && found !== null; i++) found = steps[i]!(found);
    return found;
  };
}

/**
 * Reads one name of a value: own names only, and items of lists by number; the prototype chain is nobody's fact. A name that
 * no prototype has needs no look at whose it is, which costs as much as the rest.
 */
function step(name: string): (parent: Json) => Json {
  if (name in Array.prototype) {
    return (parent) => {
      if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, name)) return null;
      return (parent as JsonObject)[name] ?? null;
    };
  }
  return (parent) => (typeof parent === 'object' && parent !== null ? ((parent as JsonObject)[name] ?? null) : null);
}
