import type { Datastream } from './datastream.ts';
import { isObject, type Json, type JsonObject, quoted, valueAt } from './json.ts';
import { type Problem, problem } from './problem.ts';
import { SERVICES, type ServiceName } from './services.ts';

/**
 * `meta.configOverrides`: one request's deviations from its datastream. It may switch services off, and choose among
 * values that the datastream registered. Documented, the keys below; anything else is 0113.
 */

/** `switch`: only false. `text`, `texts`: registered values. `number`: a registered number, as a number or its digits. */
type Rule = 'switch' | 'text' | 'texts' | 'number' | Rules;
interface Rules {
  readonly [key: string]: Rule;
}

const AUDIENCE_MANAGER = 'com_adobe_audience_manager';
const RULES: Rules = {
  com_adobe_experience_platform: {
    enabled: 'switch',
    datasets: { event: { datasetId: 'text' }, profile: { datasetId: 'text' } },
    com_adobe_edge_ode: { enabled: 'switch' },
    com_adobe_edge_segmentation: { enabled: 'switch' },
    com_adobe_edge_destinations: { enabled: 'switch' },
    com_adobe_edge_ajo: { enabled: 'switch' },
  },
  com_adobe_analytics: { enabled: 'switch', reportSuites: 'texts' },
  com_adobe_identity: { enabled: 'switch', idSyncContainerId: 'number' },
  com_adobe_target: { enabled: 'switch', propertyToken: 'text' },
  [AUDIENCE_MANAGER]: { enabled: 'switch' },
  com_adobe_launch_ssf: { enabled: 'switch' },
};
/** The Web SDK passes on whatever the page spells; its own tests spell this one. Observed: capture 11. */
const OTHER_SPELLINGS: Readonly<Record<string, string>> = { com_adobe_audiencemanager: AUDIENCE_MANAGER };

/** Keys and list members of one request's overrides, all levels together. Every documented key at once makes 20. */
export const OVERRIDE_ITEMS_MAX = 64;

/**
 * The datastream as this request sees it: itself where nothing changes, else a copy with fewer services. Throws 0113 for
 * anything that is not documented or not registered; with `overrides.unregistered: warn` unknown keys and unregistered
 * values are warned of instead, and have no effect.
 */
export function applyOverrides(
  datastream: Datastream,
  overrides: Json | undefined,
  warn: (problem: Problem) => void,
): Datastream {
  if (overrides === undefined || overrides === null) return datastream;
  if (!isObject(overrides)) throw wrong(ROOT, overrides, 'an object of services');
  const off: string[] = [];
  new Check(datastream, warn, off).object(overrides, RULES, []);
  return off.length === 0 ? datastream : without(datastream, off);
}

const ROOT = 'meta.configOverrides';

class Check {
  readonly #registered: JsonObject;
  readonly #isWarning: boolean;
  readonly #warn: (problem: Problem) => void;
  readonly #off: string[];
  #items = 0;

  /** `off` collects the paths that `enabled: false` stood at, keys joined by dots. */
  constructor(datastream: Datastream, warn: (problem: Problem) => void, off: string[]) {
    this.#registered = datastream.overrides.registered;
    this.#isWarning = datastream.overrides.unregistered === 'warn';
    this.#warn = warn;
    this.#off = off;
  }

  /** `path`: keys as the workspace spells them. */
  object(value: JsonObject, rules: Rules, path: readonly string[]): void {
    for (const sent of Object.keys(value)) {
      this.#count();
      const key = path.length === 0 && Object.hasOwn(OTHER_SPELLINGS, sent) ? OTHER_SPELLINGS[sent]! : sent;
      const at = [...path, key];
      if (!Object.hasOwn(rules, key)) this.#unknown(at, rules);
      else this.#value(value[sent]!, rules[key]!, at);
    }
  }

  #value(value: Json, rule: Rule, path: readonly string[]): void {
    const at = dotted(path);
    if (typeof rule === 'object') {
      if (!isObject(value)) throw wrong(at, value, 'an object');
      this.object(value, rule, path);
    } else if (rule === 'switch') this.#switch(value, path);
    else if (rule === 'text') {
      if (typeof value !== 'string') throw wrong(at, value, 'a text');
      this.#chosen(value, at, path);
    } else if (rule === 'number') {
      if (!isContainerId(value)) throw wrong(at, value, 'a number or its digits');
      this.#chosen(value, at, path);
    } else this.#list(value, path);
  }

  #switch(value: Json, path: readonly string[]): void {
    const at = dotted(path);
    if (value === true) {
      throw problem(
        'EXEG-0113-400',
        `The field '${at}' is true, but a request can only switch a service off. Leave the field out: what runs is set in the datastream.`,
      );
    }
    if (value !== false) throw wrong(at, value, 'false');
    this.#off.push(path.slice(0, -1).join('.'));
  }

  #list(value: Json, path: readonly string[]): void {
    const at = dotted(path);
    if (!Array.isArray(value)) throw wrong(at, value, 'an array of texts');
    if (value.length === 0) throw wrong(at, value, 'at least one text; leave it out to change nothing');
    for (let i = 0; i < value.length; i++) {
      this.#count();
      const member = value[i]!;
      if (typeof member !== 'string') throw wrong(`${at}[${i}]`, member, 'a text');
      this.#chosen(member, `${at}[${i}]`, path);
    }
  }

  /** A value must stand in the datastream's list for its key. */
  #chosen(value: string | number, at: string, path: readonly string[]): void {
    if (value === '') throw wrong(at, value, 'a text; leave it out to change nothing');
    const allowed = valueAt(this.#registered, ...path);
    if (Array.isArray(allowed) && allowed.some((one) => String(one) === String(value))) return;
    this.#refuse(
      `The field '${at}' has the value ${quoted(value)}, which this datastream does not register.`,
      `Add it to the list 'overrides.registered.${path.join('.')}'`,
    );
  }

  #unknown(path: readonly string[], rules: Rules): void {
    this.#refuse(
      `The field '${dotted(path).slice(0, PATH_CHARACTERS_MAX)}' is no known override.`,
      `Known here: ${Object.keys(rules).join(', ')}. Leave it out of the request`,
    );
  }

  #refuse(what: string, remedy: string): void {
    if (!this.#isWarning) {
      throw problem(
        'EXEG-0113-400',
        `${what} ${remedy}, or set 'overrides.unregistered: warn', in the datastream's file.`,
      );
    }
    this.#warn(problem('EXEG-0204-200', `${what} It has no effect. ${remedy} to lose this warning.`));
  }

  #count(): void {
    this.#items += 1;
    if (this.#items <= OVERRIDE_ITEMS_MAX) return;
    throw problem('EXEG-0113-400', `The field '${ROOT}' holds more than ${OVERRIDE_ITEMS_MAX} keys and values.`);
  }
}

/** A service is off where its own path or one above it was switched off. */
function without(datastream: Datastream, off: readonly string[]): Datastream {
  const isOff = (service: ServiceName): boolean => {
    const path = SERVICES[service].override?.join('.');
    return path !== undefined && off.some((one) => path === one || path.startsWith(`${one}.`));
  };
  return {
    ...datastream,
    services: new Set([...datastream.services].filter((service) => !isOff(service))),
    missingServices: datastream.missingServices.filter((service) => !isOff(service as ServiceName)),
  };
}

const CONTAINER_DIGITS = /^[0-9]{1,15}$/;

/** Documentation says number, and prints a string. */
function isContainerId(value: Json): value is string | number {
  return typeof value === 'string'
    ? CONTAINER_DIGITS.test(value)
    : Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A stranger's key: long enough to find it. */
const PATH_CHARACTERS_MAX = 160;

function dotted(path: readonly string[]): string {
  return `${ROOT}.${path.join('.')}`;
}

function wrong(at: string, got: Json, wanted: string): Problem {
  return problem('EXEG-0113-400', `The field '${at}' is ${quoted(got)}; it takes ${wanted}.`);
}
