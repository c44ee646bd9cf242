import { warnOfEvents } from './event-warnings.ts';
import type { EdgeEvent, Identity } from './exchange.ts';
import { eventField } from './field-path.ts';
import type { JsonObject } from './json.ts';
import { type Problem, type ProblemCode, problem } from './problem.ts';

/** What an id of a namespace stands for. A device may have many users, and a person many devices. */
export interface Namespace {
  readonly kind: 'device' | 'person';
  /** Its ids are SHA-256 hashes in hexadecimal digits. */
  readonly isSha256: boolean;
}

/** What a datastream takes for identities. */
export interface IdentityRules {
  /** By code, case-sensitive (documented): those of Adobe's standard that every org has, and the org's own. */
  readonly namespaces: ReadonlyMap<string, Namespace>;
  /** Ids that stand for nobody, in lower case, without space around. */
  readonly junkIds: ReadonlySet<string>;
  /** Names of the identity cookies of every org in the workspace. */
  readonly cookieNames: ReadonlySet<string>;
  /** What is wrong with an event's identities refuses the request, instead of a warning. */
  readonly isStrict: boolean;
}

const device: Namespace = { kind: 'device', isSha256: false };
const person: Namespace = { kind: 'person', isSha256: false };
const hashedPerson: Namespace = { kind: 'person', isSha256: true };

/** Documented, with CRMID, which has no standard code but is in most examples. */
export const STANDARD_NAMESPACES: Readonly<Record<string, Namespace>> = {
  ECID: device,
  FPID: device,
  CORE: device,
  AAID: device,
  TNTID: device,
  AdCloud: device,
  GAID: device,
  IDFA: device,
  WAID: device,
  GCLID: device,
  Email: person,
  Email_LC_SHA256: hashedPerson,
  Phone: person,
  'Phone_E.164': person,
  Phone_SHA256: hashedPerson,
  'Phone_SHA256_E.164': hashedPerson,
  CRMID: person,
};

/** Why an identity links nothing and selects nobody; null where nothing speaks against it. */
export type Fault = 'namespace' | 'junk' | 'hash';

const SHA256 = /^[0-9a-f]{64}$/i;

export function faultOf({ namespace, id }: Identity, { namespaces, junkIds }: IdentityRules): Fault | null {
  const known = namespaces.get(namespace);
  if (known === undefined) return 'namespace';
  if (isJunk(id, junkIds)) return 'junk';
  return known.isSha256 && !SHA256.test(id) ? 'hash' : null;
}

export function isJunk(id: string, junkIds: ReadonlySet<string>): boolean {
  return junkIds.has(id.trim().toLowerCase());
}

/** Indexes of those that select nobody; null where all may. ECIDs were looked at when they were read. */
export function nobodiesIn(identities: readonly Identity[], rules: IdentityRules): readonly number[] | null {
  let nobodies: number[] | null = null;
  for (let i = 0; i < identities.length; i++) {
    if (identities[i]!.namespace === 'ECID' || faultOf(identities[i]!, rules) === null) continue;
    nobodies ??= [];
    nobodies.push(i);
  }
  return nobodies;
}

/** The same list where there are none. */
export function withoutNobodies(
  identities: readonly Identity[],
  nobodies: readonly number[] | null,
): readonly Identity[] {
  if (nobodies === null) return identities;
  const left = new Set(nobodies);
  return identities.filter((_, index) => !left.has(index));
}

/** Documented codes; that junk is 0305 is chosen. */
const CODES: Readonly<Record<Fault, ProblemCode>> = {
  namespace: 'EXEG-0304-400',
  junk: 'EXEG-0305-400',
  hash: 'EXEG-0308-400',
};

/**
 * Looks at the identities of every event. What is wrong refuses the request where the rules are strict (0304, 0305, 0308);
 * else the event is stored as it was sent, with a warning, and the identities in question link nothing. Chosen.
 */
export function judgeIdentities(
  events: readonly EdgeEvent[],
  path: string,
  rules: IdentityRules,
  warnings: Problem[],
): void {
  let faulty: number[] | null = null;
  for (const event of events) {
    if (isFaultless(event.identities, rules)) continue;
    faulty ??= [];
    faulty.push(event.index);
  }
  if (faulty === null) return;
  const report = (index: number): JsonObject => (events.length > 1 ? { eventIndex: index } : {});
  if (rules.isStrict) {
    const index = faulty[0]!;
    const [{ code, text }] = findingsOf(events[index]!, path, rules) as [Finding];
    throw problem(code, `Not taken: ${text} (event #${index}). Correct it, or leave it out.`, report(index));
  }
  warnOfEvents(warnings, faulty, (index) => {
    const texts = findingsOf(events[index]!, path, rules).map(({ text }) => text);
    const shown = `${texts.slice(0, FINDINGS_MAX).join('; ')}${texts.length > FINDINGS_MAX ? '; and more' : ''}`;
    return problem('EXEG-0204-200', `Kept as sent, but used for nothing: ${shown}.`, report(index));
  });
}
/** Of one event: enough to find the mistake by. */
const FINDINGS_MAX = 3;

function isFaultless(identities: readonly Identity[], rules: IdentityRules): boolean {
  let primaries = 0;
  for (const identity of identities) {
    if (identity.primary) primaries += 1;
    if (faultOf(identity, rules) !== null) return false;
  }
  return primaries < 2;
}

interface Finding {
  readonly code: ProblemCode;
  readonly text: string;
}

function findingsOf(event: EdgeEvent, path: string, rules: IdentityRules): Finding[] {
  const map = `${eventField(path, event.index)}.xdm.identityMap`;
  const findings: Finding[] = [];
  for (const identity of event.identities) {
    const fault = faultOf(identity, rules);
    if (fault !== null) findings.push({ code: CODES[fault], text: textOf(fault, identity, map) });
  }
  const primaries = event.identities.filter(({ primary }) => primary).length;
  if (primaries > 1) {
    const text = `'${map}' marks ${primaries} identities as primary, and only the first counts`;
    findings.push({ code: 'EXEG-0304-400', text });
  }
  return findings;
}

function textOf(fault: Fault, { namespace, id }: Identity, map: string): string {
  const shown = `'${namespace.slice(0, SHOWN_CHARACTERS)}'`;
  if (fault === 'namespace')
    return `${shown} in '${map}' is no namespace of this datastream (weir.yaml declares an org's own)`;
  const what = `the identity '${id.slice(0, SHOWN_CHARACTERS)}' of namespace ${shown} in '${map}'`;
  return fault === 'junk' ? `${what} stands for nobody` : `${what} is no SHA-256 hash (64 hexadecimal digits)`;
}
const SHOWN_CHARACTERS = 60;
