import { acquire } from './endpoints/acquire.ts';
import { collect } from './endpoints/collect.ts';
import { interact } from './endpoints/interact.ts';
import { setConsent } from './endpoints/set-consent.ts';
import { ipObfuscation } from './enrichments/ip-obfuscation.ts';
import { activationPull } from './handles/activation-pull.ts';
import { activationPush } from './handles/activation-push.ts';
import { consentPreferences } from './handles/consent-preferences.ts';
import { identityResult } from './handles/identity-result.ts';
import { locationHint } from './handles/location-hint.ts';
import { messageDecisions, offerDecisions, targetDecisions } from './handles/personalization-decisions.ts';
import { stateStore } from './handles/state-store.ts';
import type { Endpoint, Enrichment, EventLog, HandleSource, Matrix, Stage, StateStore } from './model/parts.ts';
import { Answer } from './stages/answer.ts';
import { Append } from './stages/append.ts';
import { ChoicesUnderWay } from './stages/choices-under-way.ts';
import { Consent } from './stages/consent.ts';
import { Decide } from './stages/decide.ts';
import type { DecidingTools, DecisionTools } from './stages/deciding.ts';
import type { DuplicateWindow } from './stages/duplicates.ts';
import { Enrich } from './stages/enrich.ts';
import { Identify, type IdentityTools } from './stages/identify.ts';
import { Link } from './stages/link.ts';
import { Notify } from './stages/notify.ts';
import { Profile } from './stages/profile.ts';
import { TcStrings } from './stages/tc-strings.ts';
import { ThirdParty } from './stages/third-party.ts';
import { Wait } from './stages/wait.ts';

/**
 * The table of contents. What exists, and what runs for which request: one new part is one file and one line here.
 * Nothing is answered before what `append` sent to disk is there; handles are made only in `answer`.
 */
export const ENDPOINTS = [
  [
    interact,
    ['identify', 'wait', 'consent', 'enrich', 'link', 'third-party', 'notify', 'decide', 'profile', 'append', 'answer'],
  ],
  [collect, ['identify', 'wait', 'consent', 'enrich', 'link', 'notify', 'profile', 'append', 'answer']],
  [setConsent, ['identify', 'wait', 'consent', 'third-party', 'append', 'answer']],
  [acquire, ['identify', 'wait', 'third-party', 'append', 'answer']],
] as const satisfies readonly (readonly [Endpoint, readonly StageName[]])[];

/** In the order in which they run. */
export const ENRICHMENTS: readonly Enrichment[] = [ipObfuscation];

/** In the order of the answer. */
export const HANDLES: readonly HandleSource[] = [
  ...[identityResult, targetDecisions, messageDecisions, offerDecisions, activationPush, activationPull],
  ...[locationHint, consentPreferences, stateStore],
];

export interface StageDeps {
  readonly log: EventLog;
  readonly state: StateStore;
  readonly duplicates: DuplicateWindow;
  readonly identity: IdentityTools;
  readonly decisions: DecisionTools;
  /** Null where nothing is decided. */
  readonly deciding: DecidingTools | null;
}

/** With what stages share. */
interface Made extends StageDeps {
  readonly choices: ChoicesUnderWay;
  readonly tcStrings: TcStrings;
}

export const STAGES = {
  identify: ({ state, duplicates, identity }: StageDeps): Stage => new Identify(state, duplicates, identity),
  wait: ({ state, choices, tcStrings }: Made): Stage => new Wait(state, choices, tcStrings),
  consent: ({ tcStrings }: Made): Stage => new Consent(tcStrings),
  enrich: (): Stage => new Enrich(ENRICHMENTS),
  link: ({ identity }: StageDeps): Stage => new Link(identity.counts, identity.reportQuarantine),
  notify: ({ decisions }: StageDeps): Stage => new Notify(decisions),
  'third-party': ({ identity }: StageDeps): Stage => new ThirdParty(identity.thirdParty),
  decide: ({ deciding }: StageDeps): Stage => new Decide(deciding),
  profile: ({ deciding }: StageDeps): Stage => new Profile(deciding),
  append: ({ log, duplicates, choices }: Made): Stage => new Append(log, duplicates, choices),
  answer: ({ identity }: StageDeps): Stage => new Answer(HANDLES, identity.seal, identity.counts),
} as const;
export type StageName = keyof typeof STAGES;

/** The matrix with its stages made: each stage once, shared by the endpoints that run it. */
export function matrix(deps: StageDeps): Matrix {
  const made = new Map<StageName, Stage>();
  const all: Made = { ...deps, choices: new ChoicesUnderWay(), tcStrings: new TcStrings() };
  const stage = (name: StageName): Stage => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const one = STAGES[name](all);
    made.set(name, one);
    return one;
  };
  return ENDPOINTS.map(([endpoint, names]) => [endpoint, names.map(stage)]);
}

/** Reads a stored body with the endpoint that accepted it. */
export function endpointAt(path: string): Endpoint {
  for (const [endpoint] of ENDPOINTS) if (endpoint.paths.includes(path)) return endpoint;
  throw new Error(`The log holds a request to '${path}', which this version does not know.`);
}
