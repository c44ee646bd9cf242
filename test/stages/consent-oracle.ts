/**
 * What consent comes to, written down a second time: from the documentation of consent, as plainly as it can be, with sets and
 * without anything of src. Slow and simple: it is what the pipeline is held against.
 */

export type Collect = 'in' | 'out' | 'pending';

export interface TcChosen {
  readonly text: string;
  readonly purposes: ReadonlySet<number>;
  readonly vendors: ReadonlySet<number>;
  readonly gdprApplies: boolean;
  readonly updatedMs: number;
}
export interface AdobeEntry {
  readonly standard: 'Adobe';
  readonly version: '1.0' | '2.0';
  readonly general?: 'in' | 'out' | 'pending' | 'not_provided';
  readonly value?: Readonly<Record<string, unknown>>;
}
export interface TcfEntry {
  readonly standard: 'IAB TCF';
  readonly tcf: TcChosen;
}
export type Entry = AdobeEntry | TcfEntry;

export interface Rules {
  readonly default: Collect;
  readonly vendor: number | null;
}

const GENERAL = { in: 'y', out: 'n', pending: 'p', not_provided: 'u' } as const;
const YES = new Set(['y', 'dy', 'ct', 'cp', 'vi', 'pi', 'li']);
const NO = new Set(['n', 'dn']);

/** What one visitor of one org has chosen so far. */
export class Visitor {
  hasChosen = false;
  /** Preferences of Adobe by name. */
  adobe = new Map<string, unknown>();
  adobeVersion: '1.0' | '2.0' | null = null;
  tcf: TcChosen | null = null;

  /** False where the call is refused: 0302. */
  choose(entries: readonly Entry[], operation: 'replace' | 'update'): boolean {
    const said = new Visitor();
    for (const entry of entries) said.#take(entry);
    if (operation === 'replace') {
      this.adobe = said.adobe;
      this.adobeVersion = said.adobeVersion;
      this.tcf = said.tcf;
    } else {
      const isOutOfEverything = this.adobeVersion === '1.0' && valOf(this.adobe.get('collect')) === 'n';
      if (isOutOfEverything && !said.adobe.has('collect')) return false;
      for (const [name, value] of said.adobe) {
        // An update of one channel leaves the others, unless it says `any`.
        const isPartial = (name === 'marketing' || name === 'personalize') && !Object.hasOwn(value as object, 'any');
        this.adobe.set(name, isPartial ? { ...(this.adobe.get(name) as object), ...(value as object) } : value);
      }
      this.adobeVersion = said.adobeVersion ?? this.adobeVersion;
      this.tcf = said.tcf ?? this.tcf;
    }
    this.hasChosen = true;
    return true;
  }

  #take(entry: Entry): void {
    if (entry.standard === 'IAB TCF') {
      this.tcf = entry.tcf;
      return;
    }
    this.adobeVersion = entry.version;
    if (entry.version === '1.0') this.adobe.set('collect', { val: GENERAL[entry.general!] });
    else for (const [name, value] of Object.entries(entry.value!)) this.adobe.set(name, value);
  }

  /** A string of an event; `isLate`: the event happened before the last choice. True where it is a new choice. */
  sees(tcf: TcChosen, isLate: boolean): boolean {
    const held = this.tcf;
    if (held !== null) {
      if (held.text === tcf.text && held.gdprApplies === tcf.gdprApplies) return false;
      if (tcf.updatedMs < held.updatedMs) return false;
      if (tcf.updatedMs === held.updatedMs && isLate && allowsMore(tcf, held)) return false;
    }
    this.tcf = tcf;
    this.hasChosen = true;
    return true;
  }

  collect(rules: Rules): Collect {
    if (!this.hasChosen) return rules.default;
    const adobe = outcome(valOf(this.adobe.get('collect')));
    if (this.tcf === null) return adobe ?? rules.default;
    const { purposes, vendors, gdprApplies } = this.tcf;
    const hasVendor = rules.vendor === null || vendors.has(rules.vendor);
    if (gdprApplies && !(purposes.has(1) && purposes.has(10) && hasVendor)) return 'out';
    return adobe ?? 'in';
  }

  /** The first thing that a use lacks; null where it lacks nothing. */
  lacks(
    use: { adobe: readonly string[]; tcf: readonly number[]; vendors: readonly number[] },
    rules: Rules,
    gpc: boolean,
  ) {
    if (this.collect(rules) !== 'in') return 'collect';
    for (const purpose of use.adobe) if (!this.#allows(purpose, rules, gpc)) return `adobe:${purpose}`;
    if (this.tcf !== null && !this.tcf.gdprApplies) return null;
    for (const purpose of use.tcf) {
      if (this.tcf === null ? !this.#allowsUnchosen(rules) : !this.tcf.purposes.has(purpose)) return `tcf:${purpose}`;
    }
    for (const vendor of use.vendors) {
      if (this.tcf === null ? !this.#allowsUnchosen(rules) : !this.tcf.vendors.has(vendor))
        return `tcf:vendor:${vendor}`;
    }
    return null;
  }

  #allows(purpose: string, rules: Rules, gpc: boolean): boolean {
    const [name, part] = purpose.split('.') as [string, string?];
    const preference = this.adobe.get(name) as Record<string, unknown> | undefined;
    const own = part === undefined ? preference : preference?.[part];
    const chosen = outcome(valOf(own)) ?? (name === 'marketing' ? outcome(valOf(preference?.['any'])) : null);
    if (chosen !== null) return chosen === 'in';
    if (purpose === 'share' && gpc) return false;
    return this.#allowsUnchosen(rules);
  }

  #allowsUnchosen(rules: Rules): boolean {
    if (this.adobeVersion === '1.0' && outcome(valOf(this.adobe.get('collect'))) === 'in') return true;
    return rules.default === 'in';
  }
}

function valOf(preference: unknown): string | null {
  return (preference as { val?: string } | undefined)?.val ?? null;
}

function outcome(val: string | null): Collect | null {
  if (val === null) return null;
  return YES.has(val) ? 'in' : NO.has(val) ? 'out' : 'pending';
}

function allowsMore(tcf: TcChosen, held: TcChosen): boolean {
  if (!held.gdprApplies) return false;
  if (!tcf.gdprApplies) return true;
  const isMore = (all: ReadonlySet<number>, known: ReadonlySet<number>): boolean =>
    [...all].some((one) => !known.has(one));
  return isMore(tcf.purposes, held.purposes) || isMore(tcf.vendors, held.vendors);
}
