import { OPERATORS } from '../../src/language/compilation.ts';
import type { Facts } from '../../src/model/condition.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { Random } from '../sim/random.ts';
import { facts, NOW_MS } from './facts.ts';

/** Random rules and facts, from the plain to the hostile. */

const PATHS = [
  'profile.a',
  'profile.b',
  'profile.list',
  'profile.deep.er',
  'xdm.items',
  'xdm.items.0.a',
  'data.text',
  'page.url',
];
const MORE_PATHS = [
  'client.browser.version',
  'time.now',
  'profile.__proto__',
  'profile.constructor',
  'consent.collect',
];
const PATTERNS = [
  '^a',
  '(a+)+$',
  '([ab]*a[ab]{60})$',
  '(?i)\\pL+\\d',
  '.*a.*b.*c',
  '(a|b|ab)*c',
  '(.{0,20}){5}x',
  '\\bb\\b',
];
const LENGTHS = [0, 1, 2, 3, 8, 60, 500, 2_048, 8_192, 8_193, 100_000];

export class Rules {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** Mostly a rule that compiles. */
  rule(depth: number): Json {
    const r = this.#random;
    if (depth <= 0 || r.oneIn(12)) return this.#leaf();
    const name = r.pick(OPERATORS);
    if (name === 'var') return { var: r.pick(r.oneIn(4) ? MORE_PATHS : PATHS) };
    if (name === 'audience') return { audience: 'known' };
    if (name === 'missing') return { missing: [r.pick(PATHS), r.pick(PATHS)] };
    if (name === 'missing_some') return { missing_some: [1, [r.pick(PATHS), r.pick(PATHS)]] };
    if (name === 'exists') return { exists: r.pick(PATHS) };
    if (name === 'matches') return { matches: [this.value(depth - 1), r.pick(PATTERNS)] };
    if (name === 'semver') return { semver: [this.value(depth - 1), r.pick(['<', '>=', '^', '=']), this.value(0)] };
    if (['some', 'all', 'none'].includes(name))
      return { [name]: [{ var: r.pick(['profile.list', 'xdm.items']) }, this.rule(depth - 1)] };
    if (['and', 'or', '!', '!!', 'if', '?:'].includes(name))
      return { [name]: this.#many(name, () => this.rule(depth - 1)) };
    return { [name]: this.#many(name, () => this.value(depth - 1)) };
  }

  value(depth: number): Json {
    const r = this.#random;
    if (depth > 0 && r.oneIn(3)) return this.rule(depth);
    if (r.oneIn(3))
      return r.pick<Json>([1, 'a', 'ab', 'b', true, null, '2026-11-28', '1.2.3', NOW_MS, ['a', 1], [], -1, 0.5]);
    // The same inside of lists, where it is read from an item.
    return { var: r.pick(r.oneIn(4) ? MORE_PATHS : PATHS) };
  }

  facts(): Facts {
    const xdm = { items: this.#list(() => ({ a: this.#any(), b: this.#any() })), text: this.#any() };
    const profile = { a: this.#any(), b: this.#any(), list: this.#list(() => this.#any()), deep: { er: this.#any() } };
    return facts({
      xdm,
      profile,
      data: { text: this.#text() },
      client: { browser: { version: '1.2.3' } },
      page: { url: this.#text() },
    } as unknown as Partial<Facts>);
  }

  #leaf(): Json {
    const r = this.#random;
    return r.pick<Json>([true, false, { var: r.pick(PATHS) }, { '==': [{ var: r.pick(PATHS) }, this.#any()] }]);
  }

  #many(name: string, part: () => Json): Json[] {
    const counts: Record<string, number> = {
      '!': 1,
      '!!': 1,
      lower: 1,
      length: 1,
      '/': 2,
      '%': 2,
      '-': 2,
      substr: 3,
      '<': 2,
    };
    const count =
      counts[name] ??
      (['and', 'or', 'if', '?:', 'cat', '+', '*', 'min', 'max'].includes(name) ? this.#random.between(2, 5) : 2);
    return Array.from({ length: count }, part);
  }

  #any(): Json {
    const r = this.#random;
    return r.pick<() => Json>([
      () => this.#text(),
      () => r.between(-2, 3),
      () => r.pick([true, false, null]),
      () => r.pick<Json>(['2026-11-20', '2026-11-28T11:00:00Z', '1.2.3', '17', 1e308, NOW_MS]),
      () => ['a', 1, this.#text()],
      () => JSON.parse('{"__proto__": {"a": 1}, "constructor": 5}') as JsonObject,
    ])();
  }

  #text(): string {
    const r = this.#random;
    const length = r.oneIn(3) ? r.pick(LENGTHS) : r.below(12);
    const letters = r.pick(['a', 'ab', 'abc ', 'Σİ', '😀', 'a1']);
    let text = '';
    while (text.length < length)
      text += letters.length === 1 ? letters.repeat(length) : letters[r.below(letters.length)];
    return r.oneIn(2) ? `${text.slice(0, length / 2)}b${text.slice(length / 2)}` : text;
  }

  #list(item: () => Json): Json {
    const r = this.#random;
    if (r.oneIn(8)) return this.#any();
    const length = r.oneIn(20) ? r.pick([1_000, 5_000]) : r.below(6);
    const one = item();
    return Array.from({ length }, () => (length > 10 ? one : item()));
  }
}
