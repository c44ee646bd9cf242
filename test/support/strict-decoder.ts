import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';

/**
 * Reads answers as the strictest clients do. One value of a wrong type loses the iOS client a whole fragment; the Web
 * SDK refuses a body without a `handle` array. Every function throws what is wrong; names are those of the wire.
 */

export interface DecodedAnswer {
  readonly requestId: string;
  readonly handle: readonly DecodedHandle[];
  readonly errors: readonly JsonObject[];
  readonly warnings: readonly JsonObject[];
}
export interface DecodedHandle {
  readonly type: string;
  readonly payload: readonly JsonObject[];
}

/** A 200 or 207 of interact, set-consent or acquire. */
export function decodeAnswer(value: Json): DecodedAnswer {
  const body = object(value, 'the body');
  only(body, ['requestId', 'handle', 'errors', 'warnings'], 'the body');
  return {
    requestId: text(body, 'requestId', 'the body'),
    handle: list(body['handle'], 'handle').map((one, i) => decodeHandle(one, `handle[${i}]`)),
    errors: problems(body['errors'], 'errors'),
    warnings: problems(body['warnings'], 'warnings'),
  };
}

/** A fatal error. */
export function decodeProblem(value: Json, path = 'the problem'): JsonObject {
  const problem = object(value, path);
  only(problem, ['type', 'status', 'title', 'detail', 'report'], path);
  for (const key of ['type', 'title', 'detail']) text(problem, key, path);
  integer(problem['status'], `${path}.status`);
  const report = object(problem['report'], `${path}.report`);
  text(report, 'requestId', `${path}.report`);
  if (report['eventIndex'] !== undefined) integer(report['eventIndex'], `${path}.report.eventIndex`);
  if (report['errors'] !== undefined) {
    for (const error of list(report['errors'], `${path}.report.errors`)) {
      if (typeof error !== 'string') throw new Error(`${path}.report.errors holds something other than texts`);
    }
  }
  return problem;
}

function problems(value: Json | undefined, path: string): readonly JsonObject[] {
  if (value === undefined) return [];
  const all = list(value, path);
  if (all.length === 0) throw new Error(`${path} is there, and empty`);
  return all.map((one, i) => decodeProblem(one, `${path}[${i}]`));
}

function decodeHandle(value: Json, path: string): DecodedHandle {
  const handle = object(value, path);
  only(handle, ['type', 'payload', 'eventIndex'], path);
  const type = text(handle, 'type', path);
  if (handle['eventIndex'] !== undefined) integer(handle['eventIndex'], `${path}.eventIndex`);
  const payload = list(handle['payload'], `${path}.payload`).map((one, i) => object(one, `${path}.payload[${i}]`));
  const check = PAYLOADS[type];
  if (check === undefined) throw new Error(`${path} has the type '${type}', which nobody asked for`);
  payload.forEach((one, i) => {
    check(one, `${path}.payload[${i}]`);
  });
  return { type, payload };
}

const PAYLOADS: Readonly<Record<string, (payload: JsonObject, path: string) => void>> = {
  'identity:result'(payload, path) {
    only(payload, ['id', 'namespace'], path);
    if (!/^[0-9]{38}$/.test(text(payload, 'id', path))) throw new Error(`${path}.id is no ECID`);
    text(object(payload['namespace'], `${path}.namespace`), 'code', path);
  },
  'locationHint:result'(payload, path) {
    only(payload, ['scope', 'hint', 'ttlSeconds'], path);
    text(payload, 'scope', path);
    if (text(payload, 'hint', path) === '') throw new Error(`${path}.hint is empty`);
    integer(payload['ttlSeconds'], `${path}.ttlSeconds`);
  },
  'state:store'(payload, path) {
    only(payload, ['key', 'value', 'maxAge', 'attrs'], path);
    if (text(payload, 'key', path) === '') throw new Error(`${path}.key is empty`);
    text(payload, 'value', path);
    integer(payload['maxAge'], `${path}.maxAge`);
    if (payload['attrs'] === undefined) return;
    const attrs = object(payload['attrs'], `${path}.attrs`);
    only(attrs, ['SameSite'], `${path}.attrs`);
    if (!['None', 'Lax', 'Strict'].includes(text(attrs, 'SameSite', path))) throw new Error(`${path}.attrs.SameSite`);
  },
  'consent:preferences'(payload, path) {
    if ('consents' in payload) throw new Error(`${path} is wrapped`);
  },
  'personalization:decisions': checkProposition,
  'activation:pull'(payload, path) {
    only(payload, ['type', 'destinationId', 'alias', 'segments', 'attributes'], path);
    for (const key of ['type', 'destinationId', 'alias']) text(payload, key, path);
    list(payload['segments'], `${path}.segments`).forEach((one, i) => {
      text(object(one, `${path}.segments[${i}]`), 'id', `${path}.segments[${i}]`);
    });
  },
  'activation:push'(payload, path) {
    only(payload, ['type', 'id', 'spec'], path);
    const spec = object(payload['spec'], `${path}.spec`);
    const keys = { cookie: ['name', 'value'], url: ['url'] }[text(payload, 'type', path)];
    if (keys === undefined) throw new Error(`${path}.type is neither a cookie nor a URL`);
    for (const key of keys) text(spec, key, `${path}.spec`);
  },
};

const OFFER = 'https://ns.adobe.com/experience/offer-management/';
const CONTENT = 'https://ns.adobe.com/personalization/';
/** Their data has the item's id, or clients drop the item. */
const WITH_ID = [`${CONTENT}html-content-item`, `${CONTENT}json-content-item`];

/** A proposition without an id or a scope voids the whole payload; without scopeDetails, its message. */
function checkProposition(proposition: JsonObject, path: string): void {
  only(proposition, ['id', 'scope', 'scopeDetails', 'activity', 'placement', 'items'], path);
  if (text(proposition, 'id', path) === '') throw new Error(`${path}.id is empty`);
  text(proposition, 'scope', path);
  const details = object(proposition['scopeDetails'], `${path}.scopeDetails`);
  text(details, 'decisionProvider', `${path}.scopeDetails`);
  text(object(details['activity'], `${path}.scopeDetails.activity`), 'id', `${path}.scopeDetails.activity`);
  const characteristics = object(details['characteristics'], `${path}.scopeDetails.characteristics`);
  text(characteristics, 'eventToken', `${path}.scopeDetails.characteristics`);
  const items = list(proposition['items'], `${path}.items`);
  if (items.length === 0) throw new Error(`${path}.items is empty`);
  items.forEach((item, i) => {
    checkItem(object(item, `${path}.items[${i}]`), `${path}.items[${i}]`);
  });
}

function checkItem(item: JsonObject, path: string): void {
  only(item, ['id', 'schema', 'etag', 'score', 'meta', 'data', 'characteristics'], path);
  const id = text(item, 'id', path);
  const schema = text(item, 'schema', path);
  if (item['meta'] !== undefined) object(item['meta'], `${path}.meta`);
  if (schema === `${CONTENT}default-content-item`) return;
  const data = object(item['data'], `${path}.data`);
  const isOffer = schema.startsWith(OFFER);
  if ((isOffer || WITH_ID.includes(schema)) && data['id'] !== id) throw new Error(`${path}.data.id is not the item's`);
  if (isOffer) {
    text(data, 'format', `${path}.data`);
    if ((data['content'] === undefined) === (data['deliveryURL'] === undefined)) {
      throw new Error(`${path}.data has neither content nor deliveryURL, or both`);
    }
  }
  if (schema !== `${CONTENT}ruleset-item`) return;
  integer(data['version'], `${path}.data.version`);
  for (const rule of list(data['rules'], `${path}.data.rules`)) {
    for (const one of list(object(rule, `${path}.data.rules`)['consequences'], `${path}.data.rules.consequences`)) {
      const consequence = object(one, `${path}.data.rules.consequences`);
      const detail = object(consequence['detail'], `${path}.data.rules.consequences.detail`);
      if (text(consequence, 'id', path) !== text(detail, 'id', path)) throw new Error(`${path} has two ids`);
    }
  }
}

/**
 * A streamed body: `NUL, JSON, LF`, again and again. As Android reads it: split at LF, then the first character dropped
 * unseen; as iOS reads it: the whole is valid UTF-8.
 */
export function decodeStream(bytes: Buffer): { readonly fragments: readonly Json[]; readonly answer: DecodedAnswer } {
  const whole = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  if (!whole.endsWith('\n')) throw new Error('the last fragment does not end with LF');
  if (whole.includes('\r')) throw new Error('there is a CR');
  const fragments = whole
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      if (!line.startsWith('\u0000')) throw new Error('a fragment does not begin with NUL');
      return JSON.parse(line.slice(1)) as Json;
    });
  const merged: JsonObject = {};
  for (const fragment of fragments) Object.assign(merged, object(fragment, 'a fragment'));
  return { fragments, answer: decodeAnswer(merged) };
}

function object(value: Json | undefined, path: string): JsonObject {
  if (!isObject(value)) throw new Error(`${path} is no object`);
  return value;
}
function list(value: Json | undefined, path: string): readonly Json[] {
  if (!Array.isArray(value)) throw new Error(`${path} is no array`);
  return value;
}
function text(parent: JsonObject, key: string, path: string): string {
  const value = parent[key];
  if (typeof value !== 'string') throw new Error(`${path}.${key} is no text`);
  return value;
}
function integer(value: Json | undefined, path: string): void {
  if (!Number.isInteger(value)) throw new Error(`${path} is no integer`);
}
function only(value: JsonObject, known: readonly string[], path: string): void {
  for (const key of Object.keys(value)) if (!known.includes(key)) throw new Error(`${path} has an unknown '${key}'`);
}
