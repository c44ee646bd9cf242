import { httpProblem, type Problem } from '../model/problem.ts';
import { parseTimestamp } from '../model/timestamp.ts';

/** What a query parameter of the admin API takes. `id`: of a datastream; `cursor`: as the page before gave it; `flag`: true or false; `day`: of a calendar; a list: one of its texts. */
export type QueryKind = 'id' | 'time' | 'number' | 'limit' | 'cursor' | 'flag' | 'day' | readonly string[];
export type QuerySpec = Readonly<Record<string, QueryKind>>;

export const LIMIT_DEFAULT = 100;
export const LIMIT_MAX = 1_000;
const CURSOR_CHARACTERS_MAX = 400;

/** A route's query, checked: unknown and repeated parameters are mistakes, and said so. */
export class AdminQuery {
  readonly #values: ReadonlyMap<string, string>;

  /** Throws a 400 that names the parameter. */
  constructor(spec: QuerySpec, query: string) {
    const values = new Map<string, string>();
    for (const [name, value] of new URLSearchParams(query)) {
      if (!Object.hasOwn(spec, name)) throw unknownParameter(name, Object.keys(spec));
      if (values.has(name)) throw invalid(name, value, 'one value');
      values.set(name, value);
    }
    this.#values = values;
  }

  text(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  /** Milliseconds of the Unix epoch, from an RFC 3339 date. */
  timeMs(name: string, otherwise: number): number {
    const value = this.#values.get(name);
    if (value === undefined) return otherwise;
    const timeMs = parseTimestamp(value);
    if (timeMs === null) throw invalid(name, value, 'an RFC 3339 date such as 2026-11-23T09:30:00Z');
    return timeMs;
  }

  /** "2026-11-28"; null where it is not given. */
  day(name: string): string | null {
    const value = this.text(name);
    if (value === null) return null;
    if (/^\d{4}-\d{2}-\d{2}$/.test(value) && parseTimestamp(`${value}T00:00:00Z`) !== null) return value;
    throw invalid(name, value, 'a day such as 2026-11-28');
  }

  /** Both included; null: no bound. */
  days(from: string, to: string): { readonly from: string | null; readonly to: string | null } {
    const days = { from: this.day(from), to: this.day(to) };
    if (days.from !== null && days.to !== null && days.from > days.to) {
      throw invalid(from, days.from, `a day that is not after '${to}', ${days.to}`);
    }
    return days;
  }

  number(name: string, otherwise: number): number {
    const value = this.#values.get(name);
    if (value === undefined) return otherwise;
    if (!/^\d{1,15}$/.test(value)) throw invalid(name, value, 'a whole number');
    return Number(value);
  }

  flag(name: string): boolean {
    const value = this.#values.get(name);
    if (value === undefined || value === 'false') return false;
    if (value === 'true') return true;
    throw invalid(name, value, 'true or false');
  }

  oneOf<T extends string>(name: string, texts: readonly T[], otherwise: T): T {
    const value = this.#values.get(name);
    if (value === undefined) return otherwise;
    const one = texts.find((text) => text === value);
    if (one === undefined) throw invalid(name, value, texts.join(' or '));
    return one;
  }

  limit(): number {
    const limit = this.number('limit', LIMIT_DEFAULT);
    if (limit < 1 || limit > LIMIT_MAX) throw invalid('limit', String(limit), `1 to ${LIMIT_MAX}`);
    return limit;
  }

  /** What `cursorOf` was given; null for the first page. */
  cursor(): string | null {
    const value = this.#values.get('cursor');
    if (value === undefined) return null;
    const text = value.length > CURSOR_CHARACTERS_MAX ? '' : Buffer.from(value, 'base64url').toString('utf8');
    if (cursorOf(text) !== value || text === '') throw invalid('cursor', value, "the 'next' of the page before");
    return text;
  }
}

/** A page's end as its reader sends it back: only a place in an order, so it shows nothing and opens nothing. */
export function cursorOf(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url');
}

/** One page of what stands behind the cursor, and the cursor of the next one: null where there is no more. */
export function pageOf<T>(
  all: Iterable<T>,
  keyOf: (one: T) => string,
  after: string | null,
  limit: number,
): { readonly items: readonly T[]; readonly next: string | null } {
  const items: T[] = [];
  for (const one of all) {
    if (after !== null && keyOf(one) <= after) continue;
    if (items.length === limit) return { items, next: cursorOf(keyOf(items.at(-1)!)) };
    items.push(one);
  }
  return { items, next: null };
}

function unknownParameter(name: string, known: readonly string[]): Problem {
  const takes = known.length === 0 ? 'It takes none.' : `It takes ${known.join(', ')}.`;
  return httpProblem(400, 'Bad Request', `This address does not know the parameter '${name.slice(0, 60)}'. ${takes}`);
}

function invalid(name: string, value: string, wanted: string): Problem {
  return httpProblem(400, 'Bad Request', `The parameter '${name}' is '${value.slice(0, 60)}'; it takes ${wanted}.`);
}
