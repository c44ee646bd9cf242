import type { ItemDefinition } from '../model/decision-definitions.ts';
import { isObject, type Json, type JsonObject, valueAt } from '../model/json.ts';
import { DEFAULT_CONTENT, DOM_ACTION, FORMATS, HTML, INVISIBLE_ACTIONS, JSON_CONTENT, RULESET } from './schemas.ts';

/** When an activity runs: Unix epoch, milliseconds; null: no bound. */
export interface Dates {
  readonly startMs: number | null;
  readonly endMs: number | null;
}

/**
 * An item as clients take it, with whatever the author left out. Strict clients drop a whole list for one item without an
 * id, or without data where its schema has any (documented); ids inside the data follow the item's.
 */
export function wireItem(item: ItemDefinition, dates: Dates): JsonObject {
  const { id, schema, meta, trackingLabel } = item;
  const wire: JsonObject = { id, schema };
  if (schema === DEFAULT_CONTENT) return { ...wire, meta: { ...meta } };
  if (Object.keys(meta).length > 0) wire['meta'] = { ...meta };
  wire['data'] = dataOf(item, dates);
  if (trackingLabel !== undefined) wire['characteristics'] = { trackingLabel };
  return wire;
}

/** What the control experience of an activity answers with: clients render nothing, and tell that it was displayed. Documented. */
export const DEFAULT_ITEM: JsonObject = { id: '0', schema: DEFAULT_CONTENT, meta: {} };

function dataOf({ id, schema, data }: ItemDefinition, dates: Dates): JsonObject {
  const given = data ?? {};
  if (schema === RULESET) return rulesetOf(id, given, dates);
  const format = FORMATS.get(schema);
  if (format === undefined) return given;
  const filled = typeof given['format'] === 'string' ? given : { ...given, format };
  if (schema === HTML || schema === JSON_CONTENT) return { ...filled, id };
  return schema === DOM_ACTION ? hidingFirst(filled) : filled;
}

/** Without a prehiding selector, the page shows what is about to be changed. */
function hidingFirst(action: JsonObject): JsonObject {
  const { selector, type } = action;
  const isVisible = typeof type === 'string' && !INVISIBLE_ACTIONS.has(type);
  if (!isVisible || typeof selector !== 'string' || typeof action['prehidingSelector'] === 'string') return action;
  return { ...action, prehidingSelector: selector };
}

function rulesetOf(itemId: string, data: JsonObject, dates: Dates): JsonObject {
  const rules = Array.isArray(data['rules']) ? data['rules'] : [];
  return { ...data, version: typeof data['version'] === 'number' ? data['version'] : 1, rules: rules.map(ruleOf) };

  function ruleOf(rule: Json, ruleIndex: number): Json {
    if (!isObject(rule) || !Array.isArray(rule['consequences'])) return rule;
    const consequences = rule['consequences'].map((consequence, index) => {
      const name = ruleIndex === 0 && index === 0 ? itemId : `${itemId}-${ruleIndex}-${index}`;
      return isObject(consequence) ? consequenceOf(consequence, name, dates) : consequence;
    });
    return { ...rule, consequences };
  }
}

/** `detail.id` is the consequence's id, as clients demand. Messages carry the dates of their activity unless they have their own. */
function consequenceOf(consequence: JsonObject, name: string, dates: Dates): JsonObject {
  const id = typeof consequence['id'] === 'string' ? consequence['id'] : name;
  const type = typeof consequence['type'] === 'string' ? consequence['type'] : 'schema';
  const { detail } = consequence;
  if (!isObject(detail)) return { ...consequence, id, type };
  const isMessage = typeof detail['schema'] === 'string' && detail['schema'].includes('/message/');
  const data = isMessage && isObject(detail['data']) ? withDates(detail['data'], dates) : detail['data'];
  return { ...consequence, id, type, detail: { ...detail, id, ...(data === undefined ? {} : { data }) } };
}

function withDates(data: JsonObject, { startMs, endMs }: Dates): JsonObject {
  const dated: JsonObject = { ...data };
  if (startMs !== null && dated['publishedDate'] === undefined) dated['publishedDate'] = Math.floor(startMs / 1_000);
  if (endMs !== null && dated['expiryDate'] === undefined) dated['expiryDate'] = Math.floor(endMs / 1_000);
  return dated;
}

/** A ruleset-item for one surface: cards name theirs in `meta` (documented), and a pattern is none. */
export function atSurface(item: JsonObject, surface: string): JsonObject {
  const { schema, data } = item;
  if (schema !== RULESET || !isObject(data) || !Array.isArray(data['rules'])) return item;
  const rules = data['rules'].map((rule) => {
    if (!isObject(rule) || !Array.isArray(rule['consequences'])) return rule;
    return { ...rule, consequences: rule['consequences'].map((one) => consequenceAt(one, surface)) };
  });
  return { ...item, data: { ...data, rules } };
}

function consequenceAt(consequence: Json, surface: string): Json {
  const named = valueAt(consequence, 'detail', 'data', 'meta', 'surface');
  if (typeof named !== 'string' || !named.includes('*')) return consequence;
  const { detail } = consequence as { detail: JsonObject };
  const { data } = detail as { data: JsonObject };
  const { meta } = data as { meta: JsonObject };
  return { ...(consequence as JsonObject), detail: { ...detail, data: { ...data, meta: { ...meta, surface } } } };
}
