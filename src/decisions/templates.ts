import { compileTemplate, type Escaping, isTemplate } from '../language/templates.ts';
import type { Facts } from '../model/condition.ts';
import { isObject, type Json, type JsonObject, valueAt } from '../model/json.ts';
import { leadsSomewhere } from '../model/redirect-target.ts';
import { DEFAULT_CONTENT, DOM_ACTION, INVISIBLE_ACTIONS, MARKUP_ACTIONS, MEASUREMENT, REDIRECT } from './schemas.ts';

/** An item whose texts may hold templates. Without any it is the same for every request, and made at load. */
export interface PreparedItem {
  readonly schema: string;
  /** It shows something, other than metrics, what counts clicks, and what is there already. */
  readonly isContent: boolean;
  /** The item, where it is the same for every request; else null. */
  readonly fixed: JsonObject | null;
  readonly make: (facts: Facts) => JsonObject;
}

/** Throws where a template is wrong: its activity is then broken. */
export function prepareItem(schema: string, item: JsonObject): PreparedItem {
  const parts = Object.entries(item).map(([name, value]): [string, Json | Make] => {
    return [name, prepared(value, name !== 'data' ? 'none' : schema === REDIRECT ? 'url' : 'html')];
  });
  const whole = assembled(parts);
  return {
    schema,
    isContent: shows(schema, item),
    fixed: typeof whole === 'function' ? null : (whole as JsonObject),
    make: typeof whole === 'function' ? makerOf(schema, whole) : () => whole as JsonObject,
  };
}

function makerOf(schema: string, whole: Make): (facts: Facts) => JsonObject {
  if (schema !== REDIRECT) return (facts) => whole(facts) as JsonObject;
  return (facts) => {
    const item = whole(facts) as JsonObject;
    const target = valueAt(item, 'data', 'content');
    if (typeof target === 'string' && leadsSomewhere(target)) return item;
    throw new Error(
      'The redirect was filled in to something that is no http or https URL and no path of the site. Values in it are URL-encoded; a whole URL takes three braces.',
    );
  };
}

function shows(schema: string, { data }: JsonObject): boolean {
  if (schema !== DOM_ACTION) return schema !== MEASUREMENT && schema !== DEFAULT_CONTENT;
  const type = isObject(data) ? data['type'] : undefined;
  return !(typeof type === 'string' && INVISIBLE_ACTIONS.has(type));
}

/** Made for each request, from the facts. */
type Make = (facts: Facts) => Json;

/** The value itself where it holds no template. `escaping`: of its texts, unless an object within says what they are. */
function prepared(value: Json, escaping: Escaping): Json | Make {
  if (typeof value === 'string') return text(value, escaping);
  if (Array.isArray(value)) {
    const items = value.map((item) => prepared(item, escaping));
    if (items.every((item) => typeof item !== 'function')) return items as Json[];
    return (facts) => items.map((item) => (typeof item === 'function' ? item(facts) : item));
  }
  if (!isObject(value)) return value;
  const inside = escaping === 'url' ? 'url' : (escapeOf(value) ?? escaping);
  return assembled(Object.entries(value).map(([name, child]) => [name, prepared(child, inside)]));
}

function assembled(parts: readonly (readonly [string, Json | Make])[]): Json | Make {
  if (parts.every(([, part]) => typeof part !== 'function')) return Object.fromEntries(parts) as JsonObject;
  return (facts) =>
    Object.fromEntries(parts.map(([name, part]) => [name, typeof part === 'function' ? part(facts) : part]));
}

function text(value: string, escaping: Escaping): string | Make {
  if (!value.includes('{{')) return value;
  const template = compileTemplate(value, escaping);
  if (!isTemplate(template)) throw new Error(template.map(({ message }) => message).join(' '));
  return template.constant ?? ((facts) => template.fill(facts));
}

/**
 * What the texts of an object are, by its `format` or `contentType`, and for DOM actions by what the client does with them.
 * Null: it does not say. Markup is escaped; so is what nobody says anything about.
 */
function escapeOf(value: JsonObject): Escaping | null {
  const format = value['format'] ?? value['contentType'];
  const { type } = value;
  if (typeof format !== 'string') return null;
  if (format.includes('dom-action')) return typeof type === 'string' && !MARKUP_ACTIONS.has(type) ? 'none' : 'html';
  return format.includes('html') ? 'html' : 'none';
}
