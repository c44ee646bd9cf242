import { extname } from 'node:path';
import { compileTemplate, isTemplate } from '../../language/templates.ts';
import type { ItemDefinition, Place } from '../../model/decision-definitions.ts';
import { meant } from '../../model/did-you-mean.ts';
import { isObject, type Json, type JsonObject } from '../../model/json.ts';
import { leadsSomewhere } from '../../model/redirect-target.ts';
import { named } from '../schema-findings.ts';
import type { KeyPath } from '../source.ts';
import type { Authoring } from './authoring.ts';
import { rulesProblems } from './client-rules.ts';
import { type ActionFile, actionData } from './dom-actions.ts';
import { PAGE, type PlaceFile, placeOf } from './places.ts';
import { type CardFile, cardData, type MessageFile, messageData, type RulesetContext } from './rulesets.ts';

/** One piece of content, as files have it: exactly one form. */
export interface ItemFile extends PlaceFile {
  readonly id?: string;
  readonly html?: string;
  readonly json?: Json;
  readonly file?: string;
  readonly redirect?: string;
  readonly default?: true;
  readonly actions?: readonly ActionFile[];
  readonly measure?: 'click';
  readonly message?: MessageFile;
  readonly card?: CardFile;
  readonly rules?: readonly JsonObject[];
  readonly schema?: string;
  readonly data?: JsonObject;
  readonly meta?: Readonly<Record<string, string>>;
  readonly rank?: number;
  readonly label?: string;
}

export const ITEM_FORMS = [
  ...([
    'html',
    'json',
    'file',
    'redirect',
    'default',
    'actions',
    'measure',
    'message',
    'card',
    'rules',
    'schema',
  ] as const),
];
type Form = (typeof ITEM_FORMS)[number];

/** What of its activity and experience an item needs. */
export interface ItemContext extends Omit<RulesetContext, 'itemId' | 'surface'> {
  /** Of an item that has no id of its own, behind it a number. */
  readonly idPrefix: string;
  /** Of an item that names none. */
  readonly place: Place | null;
  readonly meta: Readonly<Record<string, string>>;
}

export const SCHEMA_PREFIX = 'https://ns.adobe.com/personalization/';
const RULESET = `${SCHEMA_PREFIX}ruleset-item`;

export function formsOf(file: ItemFile): Form[] {
  return ITEM_FORMS.filter((form) => file[form] !== undefined);
}

/** `number`: of the first id that may be made. What is wrong is told, and left out. */
export function itemsOf(
  authoring: Authoring,
  at: KeyPath,
  file: ItemFile,
  context: ItemContext,
  number: number,
): ItemDefinition[] {
  const forms = formsOf(file);
  const [form] = forms;
  if (form === undefined || forms.length > 1) {
    const what = form === undefined ? 'no content' : `several pieces of content (${forms.join(', ')})`;
    const remedy = form === undefined ? '' : " Put each into a list 'items'.";
    authoring.error(at, `${named(at)} has ${what}. It takes exactly one of: ${ITEM_FORMS.join(', ')}.${remedy}`);
    return [];
  }
  if (file.data !== undefined && form !== 'schema')
    authoring.error([...at, 'data'], `'data' goes with 'schema' only; here is '${form}'. Remove it.`, 'key');
  const place = placeOf(authoring, at, file) ?? context.place ?? (PAGE_FORMS.includes(form) ? PAGE : null);
  if (place === null) {
    const message = `Nothing says where this content belongs. Add 'scope', 'view' or 'surface', here or to the activity, as in: scope: hero`;
    authoring.error(at, message);
    return [];
  }
  const make = (schema: string, data: JsonObject | null, id: string, label = file.label): ItemDefinition => ({
    id,
    place,
    schema,
    data,
    meta: { ...context.meta, ...file.meta },
    rank: file.rank ?? null,
    ...(label === undefined ? {} : { trackingLabel: label }),
  });
  checkTemplates(authoring, [...at, 'meta'], { ...file.meta });
  if (form === 'actions') {
    return file.actions!.flatMap((action, index) => {
      const data = actionData(authoring, [...at, 'actions', index], action);
      const id = action.id ?? `${context.idPrefix}${number + index}`;
      checkTemplates(authoring, [...at, 'actions', index], data);
      return data === null ? [] : [make(`${SCHEMA_PREFIX}dom-action`, data, id, action.label ?? file.label)];
    });
  }
  const id = file.id ?? `${context.idPrefix}${number}`;
  const made = contentOf(authoring, at, file, form, { ...context, itemId: id, surface: place.name });
  if (made === null) return [];
  checkTemplates(authoring, [...at, form === 'schema' ? 'data' : form], made[1]);
  return [make(made[0], made[1], id)];
}

/** Every text may hold places for facts. */
export function checkTemplates(authoring: Authoring, at: KeyPath, value: Json): void {
  if (typeof value === 'string') {
    const template = value.includes('{{') ? compileTemplate(value, 'none') : null;
    if (template !== null && !isTemplate(template)) {
      for (const { message } of template) authoring.error(at, message);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) checkTemplates(authoring, at, child);
  }
}

/** They are of the whole page where nothing else is said. */
const PAGE_FORMS: readonly Form[] = ['actions', 'redirect'];

type Content = readonly [schema: string, data: JsonObject | null];

function contentOf(
  authoring: Authoring,
  at: KeyPath,
  file: ItemFile,
  form: Exclude<Form, 'actions'>,
  context: RulesetContext,
): Content | null {
  const id = context.itemId;
  const ruleset = (data: JsonObject | null): Content | null => (data === null ? null : [RULESET, data]);
  switch (form) {
    case 'html':
      return htmlContent(id, file.html!);
    case 'json':
      return jsonContent(authoring, [...at, 'json'], file.json!, id);
    case 'file':
      return fileContent(authoring, [...at, 'file'], file.file!, id);
    case 'redirect':
      return redirectContent(authoring, [...at, 'redirect'], file.redirect!);
    case 'default':
      return [`${SCHEMA_PREFIX}default-content-item`, null];
    case 'measure':
      return [`${SCHEMA_PREFIX}measurement`, { type: file.measure!, format: 'application/vnd.adobe.target.metric' }];
    case 'message':
      return ruleset(messageData(authoring, [...at, 'message'], file.message!, context));
    case 'card':
      return ruleset(cardData(authoring, [...at, 'card'], file.card!, context));
    case 'rules':
      authoring.errors(rulesProblems([...at, 'rules'], [...file.rules!]));
      return ruleset({ version: 1, rules: [...file.rules!] });
    default:
      if (file.schema === RULESET) authoring.errors(rulesProblems([...at, 'data', 'rules'], file.data?.['rules']));
      checkSchema(authoring, [...at, 'schema'], file.schema!);
      return [file.schema!, file.data ?? null];
  }
}

/** What clients ask for. Other names may be of other clients. */
const SCHEMAS = [
  ...['html-content-item', 'json-content-item', 'default-content-item', 'redirect-item', 'ruleset-item', 'dom-action'],
  ...['measurement', 'message/in-app', 'message/content-card', 'message/inbox'],
].map((name) => SCHEMA_PREFIX + name);

function checkSchema(authoring: Authoring, at: KeyPath, schema: string): void {
  const guess = SCHEMAS.includes(schema) ? null : meant(schema, SCHEMAS);
  if (guess !== null) authoring.warn(at, `No client asks for the schema '${schema}'. Did you mean '${guess}'?`);
}

/** A digit can stand for it anywhere in a URL: in the host, the port and what follows. */
const PLACEHOLDER = /\{\{[^}]*\}+/g;

function redirectContent(authoring: Authoring, at: KeyPath, content: string): Content {
  if (/^\s*\{\{(?!\{)/.test(content)) {
    const message = `The redirect '${content}' begins with a value. Values are URL-encoded here, so it would lead nowhere. Write the beginning of the URL, or three braces for a value that is a whole URL and that no visitor can choose.`;
    authoring.error(at, message);
  } else if (!/^\s*\{\{/.test(content) && !leadsSomewhere(content.replaceAll(PLACEHOLDER, '1'))) {
    const message = `The redirect '${content}' is no http or https URL and no path of the site. Write it as in https://shop.example/sale or /sale.`;
    authoring.error(at, message);
  }
  return [`${SCHEMA_PREFIX}redirect-item`, { type: 'redirect', content }];
}

function htmlContent(id: string, content: string): Content {
  return [`${SCHEMA_PREFIX}html-content-item`, { id, format: 'text/html', content }];
}

/** The Web SDK takes JSON with these two keys for rules too, and rejects its whole answer where it cannot read them. Observed. */
function jsonContent(authoring: Authoring, at: KeyPath, content: Json, id: string): Content {
  const isForRules = isObject(content) && content['version'] !== undefined && content['rules'] !== undefined;
  if (isForRules && rulesProblems([...at, 'rules'], content['rules']).length > 0) {
    const message = `The Web SDK takes JSON with both 'version' and 'rules' for rules of messages, and cannot read these: no event of the page would get an answer. Rename one of the two keys.`;
    authoring.warn(at, message);
  }
  return [`${SCHEMA_PREFIX}json-content-item`, { id, format: 'application/json', content }];
}

/** What it is, its name says. */
function fileContent(authoring: Authoring, at: KeyPath, name: string, id: string): Content | null {
  const extension = extname(name).toLowerCase();
  if (extension === '.json') {
    const content = authoring.jsonFile(at, name);
    return content === undefined ? null : jsonContent(authoring, at, content, id);
  }
  if (extension === '.html' || extension === '.htm') {
    const content = authoring.file(at, name);
    return content === null ? null : htmlContent(id, content);
  }
  authoring.error(
    at,
    `The file '${name}' is neither HTML (.html) nor JSON (.json). Rename it, or write its content here.`,
  );
  return null;
}
