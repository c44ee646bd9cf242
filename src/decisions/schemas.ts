/** Schemas of items, and what each makes of its data. Documented for the clients; what is filled in is chosen. */

const PERSONALIZATION = 'https://ns.adobe.com/personalization/';
export const COMPONENT = 'https://ns.adobe.com/experience/offer-management/content-component-';

export const HTML = `${PERSONALIZATION}html-content-item`;
export const JSON_CONTENT = `${PERSONALIZATION}json-content-item`;
export const DOM_ACTION = `${PERSONALIZATION}dom-action`;
export const REDIRECT = `${PERSONALIZATION}redirect-item`;
export const DEFAULT_CONTENT = `${PERSONALIZATION}default-content-item`;
export const MEASUREMENT = `${PERSONALIZATION}measurement`;
export const RULESET = `${PERSONALIZATION}ruleset-item`;
export const MESSAGE = `${PERSONALIZATION}message/`;

/** Schemas of which only one activity can have content at a named scope or a surface: the client shows one of them. */
export const SINGLE: ReadonlySet<string> = new Set([HTML, JSON_CONTENT, REDIRECT]);

/** `data.format` where the author gives none. */
export const FORMATS: ReadonlyMap<string, string> = new Map([
  [HTML, 'text/html'],
  [JSON_CONTENT, 'application/json'],
  [DOM_ACTION, 'application/vnd.adobe.target.dom-action'],
  [MEASUREMENT, 'application/vnd.adobe.target.metric'],
  [`${COMPONENT}html`, 'text/html'],
  [`${COMPONENT}json`, 'application/json'],
  [`${COMPONENT}text`, 'text/plain'],
  [`${COMPONENT}imagelink`, 'image/*'],
]);

/** Actions whose content the Web SDK takes for markup. The others set texts, attributes and styles, which need no escaping. */
export const MARKUP_ACTIONS: ReadonlySet<string> = new Set(
  'setHtml replaceHtml prependHtml appendHtml insertBefore insertAfter customCode'.split(' '),
);
/** Actions that change nothing to be seen: there is nothing to hide until they are done. */
export const INVISIBLE_ACTIONS: ReadonlySet<string> = new Set(['click', 'collectInteractions']);

/** Whether a schema was asked for. Metrics are no content: they go with what they measure (chosen; no client asks for them). */
export function isWanted(schema: string, schemas: ReadonlySet<string> | null): boolean {
  return schemas === null || schemas.has(schema) || schema === MEASUREMENT;
}
