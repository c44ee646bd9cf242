import type { ConditionProblem, Facts } from '../model/condition.ts';
import type { Json } from '../model/json.ts';
import { TEMPLATE_PLACEHOLDERS_MAX, TEMPLATE_VALUE_CHARACTERS_MAX } from './limits.ts';
import { factProblem, factReader, namesOf } from './paths.ts';

export type Escaping = 'html' | 'url' | 'none';

/** A text with places for facts, compiled: made at load, filled for every request. */
export interface Template {
  /** Never throws. */
  fill(facts: Facts): string;
  /** The text, where it has no places; else null. */
  readonly constant: string | null;
  /** Dotted paths into the facts that it reads, each once. */
  readonly reads: readonly string[];
}

/**
 * Compiles `Hello {{profile.name | 'friend'}}`, or says what is wrong with it. What is missing, no plain value or longer than
 * a name or a sentence is the default, else nothing. `escaping`, of values and defaults: `html` makes the five characters that
 * HTML reads harmless, `url` makes one component of a URL; `{{{profile.name}}}` leaves them. `\{{` is two braces.
 */
export function compileTemplate(text: string, escaping: Escaping): Template | readonly ConditionProblem[] {
  const problems: ConditionProblem[] = [];
  const parts: (string | Place)[] = [''];
  const add = (literal: string): void => {
    if (typeof parts.at(-1) === 'string') parts[parts.length - 1] += literal;
    else parts.push(literal);
  };
  let from = 0;
  for (let at = text.indexOf('{{'); at !== -1; at = text.indexOf('{{', from)) {
    if (text[at - 1] === '\\') {
      add(`${text.slice(from, at - 1)}{{`);
      from = at + 2;
      continue;
    }
    add(text.slice(from, at));
    const isRaw = text[at + 2] === '{';
    const pattern = isRaw ? RAW_PLACEHOLDER : PLACEHOLDER;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    const part = match === null ? unreadable(text, at) : placeOf(match, isRaw ? asItIs : ESCAPES[escaping]);
    if (typeof part === 'string') problems.push({ path: [], message: part });
    else parts.push(part);
    if (match === null) break;
    from = pattern.lastIndex;
  }
  add(text.slice(from));
  const places = parts.filter((part) => typeof part !== 'string');
  if (places.length > TEMPLATE_PLACEHOLDERS_MAX) {
    const message = `The text has ${places.length} placeholders; at most ${TEMPLATE_PLACEHOLDERS_MAX} are taken.`;
    problems.push({ path: [], message });
  }
  if (problems.length > 0) return problems;
  return {
    fill: filler(parts),
    constant: places.length === 0 ? parts.join('') : null,
    reads: [...new Set(places.map(({ path }) => path))],
  };
}

/** The template of a text in which braces mean themselves. */
export function literally(text: string): string {
  return text.replaceAll('{{', '\\{{');
}

export function isTemplate(compiled: Template | readonly ConditionProblem[]): compiled is Template {
  return !Array.isArray(compiled);
}

interface Place {
  readonly path: string;
  readonly read: (facts: Facts) => Json;
  readonly shown: (value: string) => string;
  /** As it is shown. */
  readonly missing: string;
}

/** `{{path}}`, `{{path | 'default'}}`, the same with three braces. Each part begins with a character that no other has: it is linear. */
const INNER = String.raw`[ \t]*([^\s|{}'"]+)[ \t]*(?:\|[ \t]*(?:'([^']*)'|"([^"]*)")[ \t]*)?`;
const RAW_PLACEHOLDER = new RegExp(String.raw`\{\{\{${INNER}\}\}\}`, 'y');
const PLACEHOLDER = new RegExp(String.raw`\{\{${INNER}\}\}`, 'y');

function placeOf([, path = '', single, double]: RegExpExecArray, shown: Place['shown']): Place | string {
  const names = namesOf(path);
  const problem = typeof names === 'string' ? names : factProblem(names);
  if (problem !== null) return `In the placeholder '{{${path}}}': ${problem}`;
  return { path, read: factReader(names as readonly string[]), shown, missing: shown(single ?? double ?? '') };
}

/** As much of a placeholder as shows which one it is. */
const SHOWN_CHARACTERS = 40;
function unreadable(text: string, at: number): string {
  return `The placeholder at '${text.slice(at, at + SHOWN_CHARACTERS)}' cannot be read. Write {{profile.name}} or {{profile.name | 'default'}}, and \\{{ for two braces that mean themselves.`;
}

function filler(parts: readonly (string | Place)[]): (facts: Facts) => string {
  return (facts) => {
    let filled = '';
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!;
      filled += typeof part === 'string' ? part : shownOf(part, facts);
    }
    return filled;
  };
}

function shownOf({ read, shown, missing }: Place, facts: Facts): string {
  const value = read(facts);
  if (typeof value === 'object') return missing;
  const text = String(value);
  return text === '' || text.length > TEMPLATE_VALUE_CHARACTERS_MAX ? missing : shown(text);
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** For text and for values of attributes in quotes. */
export function escapeHtml(text: string): string {
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (character) => HTML[character]!) : text;
}

/** For what stands between the marks of a URL. Half a character, which no URL holds, is U+FFFD. */
function escapeUrl(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}

function asItIs(text: string): string {
  return text;
}

const ESCAPES: Readonly<Record<Escaping, Place['shown']>> = { html: escapeHtml, url: escapeUrl, none: asItIs };
