import type { Json, JsonObject } from '../../model/json.ts';
import { named } from '../schema-findings.ts';
import type { KeyPath } from '../source.ts';
import type { Authoring } from './authoring.ts';

/** A change of a page, as files have it: a kind with what it needs, and a selector. */
export interface ActionFile {
  readonly selector?: string;
  readonly prehide?: string;
  readonly id?: string;
  readonly label?: string;
  readonly [kind: string]: Json | undefined;
}

/** Every type of dom-action that the Web SDK knows. Documented. */
export const ACTION_KINDS = [
  ...['setText', 'setHtml', 'replaceHtml', 'prependHtml', 'appendHtml', 'insertBefore', 'insertAfter', 'customCode'],
  ...['setAttribute', 'setImageSource', 'setStyle', 'move', 'resize', 'rearrange', 'remove'],
  ...['click', 'collectInteractions'],
];
/** They change nothing, so nothing is hidden for them. */
const SILENT = ['click', 'collectInteractions'];

const ACTION_FORMAT = 'application/vnd.adobe.target.dom-action';
const METRIC_FORMAT = 'application/vnd.adobe.target.metric';

/** The data of a dom-action item, as on the wire; null, and told, where the file is wrong. */
export function actionData(authoring: Authoring, at: KeyPath, action: ActionFile): JsonObject | null {
  const kinds = ACTION_KINDS.filter((kind) => action[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const what = kind === undefined ? 'no change' : `several changes (${kinds.join(', ')})`;
    authoring.error(at, `${named(at)} has ${what}. It takes exactly one of: ${ACTION_KINDS.join(', ')}.`);
    return null;
  }
  const selector = action.selector ?? (kind === 'customCode' ? 'BODY' : undefined);
  if (selector === undefined) {
    authoring.error(at, `The key 'selector' is missing in ${named(at)}. Add it, as in: selector: "#hero"`);
    return null;
  }
  const content = contentOf(authoring, [...at, kind], action[kind]!);
  if (content === undefined) return null;
  const data: JsonObject = { type: kind, format: kind === 'click' ? METRIC_FORMAT : ACTION_FORMAT };
  if (content !== true) data['content'] = content;
  data['selector'] = selector;
  return SILENT.includes(kind) ? data : { ...data, prehidingSelector: action.prehide ?? selector };
}

/** Markup may stand in a file. */
function contentOf(authoring: Authoring, at: KeyPath, content: Json): Json | undefined {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return content;
  const { file } = content;
  if (typeof file !== 'string') return content;
  return authoring.file([...at, 'file'], file) ?? undefined;
}
