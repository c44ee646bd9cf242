import { type Json, quoted } from '../model/json.ts';
import { parseTimestamp } from '../model/timestamp.ts';
import type { Operand } from './closures.ts';
import { TEXT_CHARACTERS_MAX } from './limits.ts';
import { parseVersion, type Version } from './versions.ts';

/** The kinds of values that operators take. Each reads a value as its kind, or returns undefined: a wrong type. */

export interface Kind<T> {
  /** For problems: "takes a text". */
  readonly name: string;
  of(value: Json): T | undefined;
}

export const TEXT: Kind<string> = {
  name: `a text of at most ${TEXT_CHARACTERS_MAX} characters`,
  of: (value) => (typeof value === 'string' && value.length <= TEXT_CHARACTERS_MAX ? value : undefined),
};

export const NUMBER: Kind<number> = {
  name: 'a number',
  of: (value) => (typeof value === 'number' ? value : undefined),
};

export const SCALAR: Kind<string | number | boolean> = {
  name: 'a text, a number, true or false',
  of: (value) => {
    if (typeof value === 'string') return TEXT.of(value);
    return typeof value === 'object' ? undefined : value;
  },
};

export const ORDERED: Kind<string | number> = {
  name: 'a number or a text',
  of: (value) => (typeof value === 'number' ? value : TEXT.of(value)),
};

export const LIST: Kind<readonly Json[]> = {
  name: 'a list',
  of: (value) => (Array.isArray(value) ? value : undefined),
};

/** A list, or a text to look into. */
export const HOLDER: Kind<readonly Json[] | string> = {
  name: 'a list or a text',
  of: (value) => (Array.isArray(value) ? value : TEXT.of(value)),
};

/** Milliseconds of the Unix epoch: as a number, an RFC 3339 date-time, or a date alone, which is its first moment in UTC. */
export const DATE: Kind<number> = {
  name: 'a date: "2026-11-28", "2026-11-28T09:30:00Z", or milliseconds of the Unix epoch',
  of: (value) => {
    if (typeof value === 'number') return value;
    if (typeof value !== 'string') return undefined;
    return parseTimestamp(value.length === DATE_CHARACTERS ? `${value}T00:00:00Z` : value) ?? undefined;
  },
};
const DATE_CHARACTERS = '2026-11-28'.length;

export const VERSION: Kind<Version> = {
  name: 'a version such as "17.4.1" or "2.0.0-beta.1", as a text',
  of: (value) => (typeof value === 'string' ? (parseVersion(value) ?? undefined) : undefined),
};

/** A sentence where an operand is written out and never of the kind; null where nothing is wrong. */
export function kindProblem(operator: string, operand: Operand, kind: Kind<unknown>): string | null {
  const { constant } = operand;
  if (constant === undefined || constant === null || kind.of(constant) !== undefined) return null;
  return `The operator '${operator}' takes ${kind.name}, not ${quoted(constant)}.`;
}
