import { isObject, type Json, type JsonObject } from '../../model/json.ts';
import { named } from '../schema-findings.ts';
import type { KeyPath } from '../source.ts';
import type { Authoring } from './authoring.ts';
import { missingKey, ruleConditionProblems } from './client-rules.ts';
import { MOBILE, WEB } from './message-looks.ts';

/** What messages and cards have in common: when clients show them. */
interface Shown {
  readonly on?: JsonObject;
  readonly if?: JsonObject;
  readonly publish?: string;
  readonly expire?: string;
}
export interface MessageFile extends Shown {
  readonly html?: string;
  readonly file?: string;
  readonly mobile?: JsonObject;
  readonly web?: JsonObject;
}
export interface CardFile extends Shown {
  readonly title?: string;
  readonly body?: string;
  readonly image?: string;
  readonly url?: string;
  readonly buttons?: readonly { readonly id?: string; readonly text: string; readonly url?: string }[];
  readonly dismiss?: 'none' | 'simple' | 'circle';
  readonly template?: string;
  readonly content?: JsonObject;
}

/** What of the activity a message needs. */
export interface RulesetContext {
  readonly itemId: string;
  readonly surface: string;
  readonly timeZone: string;
  readonly startMs: number | null;
  readonly endMs: number | null;
}

const MESSAGE = 'https://ns.adobe.com/personalization/message';

const APP = 'mobileapp://';

/**
 * Data of a ruleset-item that shows an in-app message; null, and told, where the file is wrong. Who gives `mobile` alone has
 * said how it looks on pages too: the Web SDK makes do with that.
 */
export function messageData(
  authoring: Authoring,
  at: KeyPath,
  file: MessageFile,
  context: RulesetContext,
): JsonObject | null {
  const { html, file: name, mobile, web } = file;
  if ((html === undefined) === (name === undefined)) {
    const what = html === undefined ? "neither 'html' nor 'file'" : "both 'html' and 'file'";
    authoring.error(at, `${named(at)} has ${what}. It takes one of the two: the message's page.`);
    return null;
  }
  const content = html ?? authoring.file([...at, 'file'], name!);
  if (content === null) return null;
  if (web !== undefined) checkWeb(authoring, [...at, 'web'], web);
  const data: JsonObject = {
    content,
    contentType: 'text/html',
    mobileParameters: { ...MOBILE, ...mobile },
    webParameters: web ?? (mobile === undefined && !context.surface.startsWith(APP) ? WEB : {}),
    ...dates(authoring, at, file, context),
  };
  return ruleset(authoring, at, file, context.itemId, `${MESSAGE}/in-app`, data);
}

/**
 * `webParameters` are all or nothing: without the frame's the Web SDK fails to show the message, without one of the others it
 * makes its own look (observed). None at all leaves it to `mobile`.
 */
function checkWeb(authoring: Authoring, at: KeyPath, web: JsonObject): void {
  if (Object.keys(web).length === 0) return;
  for (const key of Object.keys(WEB)) {
    const element = web[key];
    if (element === undefined) authoring.error(at, missingKey(at, web, key));
    else if (!isObject(element)) {
      const path = [...at, key];
      authoring.error(path, `${named(path)} is no map. It takes a map of: style, params.`);
    }
  }
}

/** The same of a content card. */
export function cardData(
  authoring: Authoring,
  at: KeyPath,
  file: CardFile,
  context: RulesetContext,
): JsonObject | null {
  if (file.content === undefined && file.title === undefined && file.body === undefined && file.image === undefined) {
    authoring.error(at, `${named(at)} has nothing to show. It takes a title, a body or an image; or 'content', whole.`);
    return null;
  }
  const data: JsonObject = {
    content: file.content ?? cardContent(file),
    contentType: 'application/json',
    meta: { adobe: { template: file.template ?? 'SmallImage' }, surface: context.surface },
    ...dates(authoring, at, file, context),
  };
  return ruleset(authoring, at, file, context.itemId, `${MESSAGE}/content-card`, data);
}

function cardContent({ title, body, image, url, buttons = [], dismiss = 'none' }: CardFile): JsonObject {
  const content: JsonObject = {};
  if (title !== undefined) content['title'] = { content: title };
  if (body !== undefined) content['body'] = { content: body };
  if (image !== undefined) content['image'] = { url: image };
  if (url !== undefined) content['actionUrl'] = url;
  if (buttons.length > 0) {
    content['buttons'] = buttons.map(({ id, text, url: actionUrl }, index): JsonObject => {
      const button: JsonObject = { interactId: id ?? `button-${index + 1}`, text: { content: text } };
      return actionUrl === undefined ? button : { ...button, actionUrl };
    });
  }
  if (dismiss !== 'none') content['dismissBtn'] = { style: dismiss };
  return content;
}

/** In seconds. Documented. */
function dates(
  authoring: Authoring,
  at: KeyPath,
  { publish, expire }: Shown,
  { timeZone, startMs, endMs }: RulesetContext,
): JsonObject {
  const publishMs = authoring.time([...at, 'publish'], publish, timeZone) ?? startMs;
  const expireMs = authoring.time([...at, 'expire'], expire, timeZone) ?? endMs;
  const found: JsonObject = {};
  if (publishMs !== null) found['publishedDate'] = Math.floor(publishMs / 1000);
  if (expireMs !== null) found['expiryDate'] = Math.floor(expireMs / 1000);
  return found;
}

function ruleset(
  authoring: Authoring,
  at: KeyPath,
  shown: Shown,
  id: string,
  schema: string,
  data: JsonObject,
): JsonObject {
  if (shown.on !== undefined && shown.if !== undefined) {
    authoring.error([...at, 'if'], `${named(at)} has both 'on' and 'if'. Keep one of the two.`, 'key');
  } else if (shown.if !== undefined) authoring.errors(ruleConditionProblems([...at, 'if'], shown.if));
  const condition = shown.if ?? conditionOf(shown.on ?? {});
  return {
    version: 1,
    rules: [{ condition, consequences: [{ id, type: 'schema', detail: { id, schema, data } }] }],
  };
}

/** Every event has a type: shown at the next one. */
const ANY_EVENT: JsonObject = { type: 'matcher', definition: { key: '~type', matcher: 'ex', values: [] } };

/** Each key equal to one of its values. As the SDKs' rules engine takes it; documented. */
function conditionOf(on: JsonObject): JsonObject {
  const conditions = Object.entries(on).map(([key, value]: [string, Json]): JsonObject => {
    const values = Array.isArray(value) ? value : [value];
    return { type: 'matcher', definition: { key, matcher: 'eq', values } };
  });
  if (conditions.length === 0) return ANY_EVENT;
  return conditions.length === 1 ? conditions[0]! : { type: 'group', definition: { logic: 'and', conditions } };
}
