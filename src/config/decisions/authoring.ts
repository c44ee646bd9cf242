import type { CapDefinition } from '../../model/decision-definitions.ts';
import { type Json, quoted } from '../../model/json.ts';
import type { Finding } from '../finding.ts';
import { named } from '../schema-findings.ts';
import type { KeyPath, Source } from '../source.ts';
import type { Contents } from './contents.ts';
import { durationMs } from './duration.ts';
import { timeOf, timeZoneProblem } from './local-time.ts';

/** A condition of a file, to be compiled when every audience of its org is known. */
export interface WrittenCondition {
  readonly source: Source;
  readonly path: KeyPath;
  readonly rule: Json;
}

export interface Schedule {
  readonly start?: string;
  readonly end?: string;
  readonly timeZone?: string;
}

/** As files have them. */
export interface CapFile {
  readonly max: number;
  readonly per?: string;
}

/** One file of activities, audiences or offers while it is read; its schema has been checked. */
export class Authoring {
  readonly source: Source;
  /** Of the org. */
  readonly timeZone: string;
  readonly conditions: WrittenCondition[];
  readonly #contents: Contents;
  readonly #findings: Finding[];

  constructor(
    source: Source,
    timeZone: string,
    deps: { readonly contents: Contents; readonly conditions: WrittenCondition[]; readonly findings: Finding[] },
  ) {
    this.source = source;
    this.timeZone = timeZone;
    this.conditions = deps.conditions;
    this.#contents = deps.contents;
    this.#findings = deps.findings;
  }

  error(path: KeyPath, message: string, of: 'key' | 'value' = 'value'): void {
    this.#findings.push(this.source.error(path, message, of));
  }

  errors(all: readonly { readonly path: KeyPath; readonly message: string }[]): void {
    for (const { path, message } of all) this.error(path, message);
  }

  warn(path: KeyPath, message: string): void {
    this.#findings.push(this.source.warning(path, message));
  }

  /** Notes the condition, to be compiled later; null where there is none. */
  when(path: KeyPath, rule: Json | undefined): Json | null {
    if (rule === undefined) return null;
    this.conditions.push({ source: this.source, path, rule });
    return rule;
  }

  schedule(at: KeyPath, { start, end, timeZone }: Schedule): { startMs: number | null; endMs: number | null } {
    const zone = timeZone ?? this.timeZone;
    const problem = timeZone === undefined ? null : timeZoneProblem(timeZone);
    if (problem !== null) {
      this.error([...at, 'timeZone'], `${named([...at, 'timeZone'])} is ${quoted(zone)}. ${problem}`);
      return { startMs: null, endMs: null };
    }
    const startMs = this.time([...at, 'start'], start, zone);
    const endMs = this.time([...at, 'end'], end, zone);
    if (startMs !== null && endMs !== null && endMs <= startMs)
      this.error(
        [...at, 'end'],
        `${named([...at, 'end'])} is not after the start, so it never runs. Mend one of the two.`,
      );
    return { startMs, endMs };
  }

  /** Unix epoch, milliseconds; null where there is none, or none that can be read. */
  time(path: KeyPath, text: string | undefined, timeZone: string): number | null {
    if (text === undefined) return null;
    const found = timeOf(text, timeZone);
    if (typeof found === 'number') return found;
    this.error(path, `${named(path)} is ${quoted(text)}. ${found}`);
    return null;
  }

  caps(caps: readonly CapFile[] | undefined): CapDefinition[] {
    return (caps ?? []).map(({ max, per }) => ({ max, periodMs: per === undefined ? null : durationMs(per) }));
  }

  /** The text of a file of content; null, and told, where there is none. */
  file(path: KeyPath, name: string): string | null {
    const text = this.#contents.read(name);
    if (typeof text === 'string') return text;
    this.error(path, text.why);
    return null;
  }

  /** The same, as JSON. */
  jsonFile(path: KeyPath, name: string): Json | undefined {
    const text = this.file(path, name);
    if (text === null) return undefined;
    let isEndless = false;
    const noted = (_key: string, value: Json): Json => {
      if (typeof value === 'number' && !Number.isFinite(value)) isEndless = true;
      return value;
    };
    try {
      const json = JSON.parse(text, noted) as Json;
      if (!isEndless) return json;
      const message = `The file '${name}' holds a number that is too large: clients would be sent null. Write another one, or a text in quotes.`;
      this.error(path, message);
    } catch (error) {
      this.error(path, `The file '${name}' is not JSON. ${(error as Error).message}`);
    }
    return undefined;
  }
}
