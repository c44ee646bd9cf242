import type { Facts } from '../model/condition.ts';
import type { DecisionEngine } from '../model/decision.ts';
import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import type { Capacity } from '../model/decision-history.ts';
import type { FactParts } from '../model/decision-input.ts';
import type { Client } from '../model/exchange.ts';
import type { HybridClock } from '../model/hybrid-time.ts';
import type { JsonObject } from '../model/json.ts';
import type { DecisionCounts } from '../telemetry/decision-counts.ts';
import type { PreviewSeal } from './preview-seal.ts';
import type { TokenSeal } from './token-seal.ts';

/** One org's definitions, made ready before they are in force. */
export interface DecisionRuntime {
  readonly engine: DecisionEngine;
  readonly makeFacts: (parts: FactParts) => Facts;
  /** Names of facts of the client that the definitions read: they are kept with a decision. */
  readonly clientFacts: readonly string[];
  /** Displays to remember. */
  readonly capacity: Capacity;
  /** Namespace by which an activity keeps experiences. */
  readonly namespaceOf: (activityId: string) => string;
  readonly hasSegments: boolean;
  readonly hasPushes: boolean;
}

/** What is known of the program that sent an event. Most decisions go by whether it is a bot, and by nothing else of it. */
export interface ClientReading {
  readonly isBot: boolean;
  /** The fact `client`, made when it is asked for. */
  readonly facts: () => JsonObject;
}

/** What the stages need that make decisions, and hear of them. */
export interface DecisionTools {
  readonly seal: TokenSeal;
  /** Of all stages that change the section `decision`: two changes of one request must not have one time. */
  readonly clock: HybridClock;
  readonly counts: DecisionCounts;
}

/** What the stage needs that decides, beside what the one needs that hears of it. */
export interface DecidingTools extends DecisionTools {
  readonly runtimeOf: (definitions: DecisionDefinitions) => DecisionRuntime;
  readonly previews: PreviewSeal;
  readonly readClient: (client: Client, xdm: JsonObject) => ClientReading;
  /** Whether a scope names an offer decision and a placement, and no place. */
  readonly isOfferScope: (scope: string) => boolean;
  /** There is so much to store that nothing is decided. */
  readonly isOverloaded: () => boolean;
  readonly budgetMs: number;
  /** Monotonic, milliseconds. */
  readonly clockMs: () => number;
  /** Told once of each activity that is broken. */
  readonly reportBroken: (what: { orgId: string; definitions: string; activity: string; why: string | null }) => void;
}
