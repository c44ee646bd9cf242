import { isObject, type Json, QUOTED_CHARACTERS_MAX } from '../model/json.ts';
import { LEAF_CHARACTERS_MAX } from './limits.ts';

/** Values and comparisons in plain words. */

/** `'gold'`, `5`, `true`, `nothing`. */
export function textOf(value: Json): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return `'${cutTo(value, QUOTED_CHARACTERS_MAX)}'`;
  return isObject(value) || Array.isArray(value) ? cutTo(JSON.stringify(value), QUOTED_CHARACTERS_MAX) : String(value);
}

/** Items of a list that is written out, as many as are worth reading. */
const ITEMS_SHOWN_MAX = 12;
export function listText(list: readonly Json[]): string {
  const shown = list.slice(0, ITEMS_SHOWN_MAX).map(textOf);
  const rest = list.length - shown.length;
  return `[${shown.join(', ')}${rest > 0 ? `, and ${rest} more` : ''}]`;
}

export function leafText(text: string): string {
  return cutTo(text, LEAF_CHARACTERS_MAX);
}

function cutTo(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
