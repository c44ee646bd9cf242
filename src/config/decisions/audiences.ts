import { PERSONALIZING, type Requirement } from '../../model/consent-gate.ts';
import type { AudienceDefinition, PushDefinition } from '../../model/decision-definitions.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import { ATTRIBUTE_PREFIX } from '../../model/profile-attributes.ts';
import { named } from '../schema-findings.ts';
import type { KeyPath } from '../source.ts';
import type { Authoring } from './authoring.ts';

/** audiences/*.yaml after its schema has been checked. */
export interface AudienceFile {
  readonly id: string;
  readonly name?: string;
  readonly org?: string;
  readonly when: Json;
  readonly segment?:
    | boolean
    | { readonly destination?: string; readonly alias?: string; readonly attributes?: readonly string[] };
  readonly push?: readonly PushFile[];
  readonly requires?: Requirement;
}
interface PushFile {
  readonly id?: string;
  readonly cookie?: {
    readonly name: string;
    readonly value: string;
    readonly domain?: string;
    readonly days?: number;
  };
  readonly url?: string;
  readonly hideReferrer?: boolean;
  readonly ttlMinutes?: number;
}

const DESTINATION = 'weir';
/** The Web SDK's own default. Documented. */
const COOKIE_DAYS = 10;
/** A week, in which clients need not call again. Chosen. */
const TTL_MINUTES = 10_080;

export interface Audience {
  readonly definition: AudienceDefinition;
  readonly pushes: readonly PushDefinition[];
}

export function audienceOf(authoring: Authoring): Audience {
  const {
    id,
    name = id,
    when,
    segment = false,
    push = [],
    requires,
  } = authoring.source.value as unknown as AudienceFile;
  const told = segment === true ? {} : segment;
  if (told !== false) checkAttributes(authoring, told.attributes ?? []);
  const destinationId = told === false ? DESTINATION : (told.destination ?? DESTINATION);
  return {
    definition: {
      id,
      name,
      when,
      segment:
        told === false
          ? null
          : { destinationId, alias: told.alias ?? destinationId, attributes: told.attributes ?? [] },
    },
    pushes: push.map((one, index): PushDefinition => {
      const own = one.id ?? `${id}:${index + 1}`;
      const payload = payloadOf(authoring, ['push', index], one, own);
      return { id: own, when: { audience: id }, payload, requires: requires ?? PERSONALIZING };
    }),
  };
}

/** They are named as they are kept: what clients send as `profile.tier` is `tier`. */
function checkAttributes(authoring: Authoring, attributes: readonly string[]): void {
  for (const [index, name] of attributes.entries()) {
    if (!name.startsWith(ATTRIBUTE_PREFIX)) continue;
    const at = ['segment', 'attributes', index];
    const message = `${named(at)} is "${name}". Attributes are named without 'profile.', as in: ${name.slice(ATTRIBUTE_PREFIX.length)}`;
    authoring.warn(at, message);
  }
}

function payloadOf(authoring: Authoring, at: KeyPath, push: PushFile, id: string): JsonObject {
  const { cookie, url, hideReferrer = false, ttlMinutes = TTL_MINUTES } = push;
  if ((cookie === undefined) === (url === undefined)) {
    const what = cookie === undefined ? "neither 'cookie' nor 'url'" : "both 'cookie' and 'url'";
    authoring.error(at, `${named(at)} has ${what}. It takes one of the two.`);
  }
  const [key, text] = cookie === undefined ? ['url', url ?? ''] : ['cookie', cookie.value];
  if (text.includes('{{')) {
    const path = key === 'url' ? [...at, key] : [...at, key, 'value'];
    authoring.warn(path, `${named(path)} holds '{{'. It is sent as it stands: only items and offers hold templates.`);
  }
  if (cookie === undefined) return { type: 'url', id, spec: { url: url ?? '', hideReferrer, ttlMinutes } };
  const { name, value, domain, days: ttlDays = COOKIE_DAYS } = cookie;
  return { type: 'cookie', spec: domain === undefined ? { name, value, ttlDays } : { name, value, domain, ttlDays } };
}
