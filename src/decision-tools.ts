import { mkdir, open, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type KeyPlace, keysThere, secretKeys } from './config/secret-key.ts';
import { compileDecisions } from './decisions/engine.ts';
import { clientFactsIn } from './decisions/needs.ts';
import { parseOfferScope } from './decisions/offer-scopes.ts';
import { clientFacts, userAgentOf } from './language/client.ts';
import { makeFacts } from './language/facts.ts';
import { ZoneTime } from './language/zone-time.ts';
import type { Workspace } from './model/datastream.ts';
import type { DecisionDefinitions } from './model/decision-definitions.ts';
import { capacityOf } from './model/decision-history.ts';
import { HybridClock } from './model/hybrid-time.ts';
import { UserAgents } from './net/user-agents.ts';
import type { DecidingTools, DecisionRuntime, DecisionTools } from './stages/deciding.ts';
import { PreviewSeal } from './stages/preview-seal.ts';
import { TokenSeal } from './stages/token-seal.ts';
import type { Counters } from './telemetry/counters.ts';
import type { Log } from './telemetry/log.ts';

/** The key that signs, and the one before it. */
const TOKEN_KEYS_MAX = 2;

/**
 * What the stages need to make decisions and to hear of them, with the keys of this installation. To be called under the lock
 * of the data folder. `keysFile`: absolute path; null: they are kept in the data folder.
 */
export async function decisionTools(
  keysFolder: string,
  keysFile: string | null,
  counters: Counters,
): Promise<DecisionTools & { readonly previews: PreviewSeal }> {
  const keys = await secretKeys(keyPlace(keysFolder, keysFile), process.env, TOKEN_KEYS_MAX);
  return {
    seal: new TokenSeal(keys),
    previews: new PreviewSeal(keys),
    clock: new HybridClock(),
    counts: counters.decisions,
  };
}

function keyPlace(keysFolder: string, file: string | null): KeyPlace {
  return { variable: 'WEIR_EVENT_TOKEN_KEYS', file, ownFile: join(keysFolder, 'event-tokens.keys') };
}

/** By the keys of a data folder, whether a server uses it or not; null where no server has made any yet. */
export async function previewSeal(keysFolder: string, keysFile: string | null): Promise<PreviewSeal | null> {
  const keys = await keysThere(keyPlace(keysFolder, keysFile), process.env, TOKEN_KEYS_MAX);
  return keys === null ? null : new PreviewSeal(keys);
}

/**
 * What is decided by: engines of definitions that are in force, or about to be. Each is compiled, and kept as
 * DATA/decisions/<hash>.json, before a request is judged by it: what was decided can be told when the workspace is another.
 */
export class Decisions {
  readonly #folder: string;
  readonly #runtimes = new Map<string, DecisionRuntime>();
  readonly agents = new UserAgents();

  /** `data`: the data folder. */
  constructor(data: string) {
    this.#folder = join(data, 'decisions');
  }

  /** Makes a workspace's definitions ready. Rejects where they cannot be kept: then they are not to be in force. */
  async prepare({ decisions }: Workspace): Promise<void> {
    for (const definitions of decisions.values()) {
      await this.#keep(definitions);
      if (!this.#runtimes.has(keyOf(definitions))) this.#runtimes.set(keyOf(definitions), runtimeOf(definitions));
    }
  }

  /** A workspace is in force: others' engines are dropped, and what reads user agents is loaded (40 ms), for no request to wait. */
  takeOver({ decisions }: Workspace): void {
    const inForce = new Set([...decisions.values()].map(keyOf));
    for (const key of this.#runtimes.keys()) if (!inForce.has(key)) this.#runtimes.delete(key);
    if (decisions.size > 0) this.agents.parse('');
  }

  /** Those of a request that began before the workspace changed are made again. */
  readonly runtimeOf = (definitions: DecisionDefinitions): DecisionRuntime => {
    const key = keyOf(definitions);
    let runtime = this.#runtimes.get(key);
    if (runtime === undefined) {
      runtime = runtimeOf(definitions);
      this.#runtimes.set(key, runtime);
    }
    return runtime;
  };

  /** Written beside and renamed, so that nobody reads half of it. Its time says when it came in force last. */
  async #keep(definitions: DecisionDefinitions): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, `${definitions.hash}.json`);
    const now = new Date();
    try {
      await utimes(path, now, now);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await writeFile(`${path}.new`, `${JSON.stringify(definitions)}\n`, { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

function keyOf({ orgId, hash }: DecisionDefinitions): string {
  return `${hash} ${orgId}`;
}

function runtimeOf(definitions: DecisionDefinitions): DecisionRuntime {
  const zone = new ZoneTime(definitions.timeZone);
  const namespaces = new Map(definitions.activities.map(({ id, bucketBy }) => [id, bucketBy]));
  const namespaceOf = (id: string): string => namespaces.get(id) ?? 'ECID';
  return {
    engine: compileDecisions(definitions),
    makeFacts: (parts) => makeFacts(parts, zone),
    clientFacts: clientFactsIn(definitions),
    capacity: capacityOf(definitions),
    namespaceOf,
    hasSegments: definitions.audiences.some(({ segment }) => segment !== null),
    hasPushes: definitions.pushes.length > 0,
  };
}

export function decidingTools(
  tools: DecisionTools & { readonly previews: PreviewSeal },
  decisions: Decisions,
  budgetMs: number,
  isOverloaded: () => boolean,
  log: Log,
): DecidingTools {
  const { agents } = decisions;
  const told = new Set<string>();
  return {
    ...tools,
    runtimeOf: decisions.runtimeOf,
    readClient: ({ userAgent, rawHeaders }, xdm) => ({
      isBot: agents.parse(userAgentOf(userAgent, xdm)).isBot,
      facts: () => clientFacts({ userAgent, headers: hintsOf(rawHeaders), xdm, parse: agents.parse }),
    }),
    isOfferScope: (scope) => parseOfferScope(scope) !== null,
    isOverloaded,
    budgetMs,
    clockMs: () => performance.now(),
    reportBroken(what) {
      const key = `${what.definitions} ${what.activity}`;
      if (told.has(key) || told.size >= BROKEN_TOLD_MAX) return;
      told.add(key);
      log.error({ what: 'decisions', ...what }, 'an activity is broken: nobody sees it, the others stand');
    },
  };
}

/** Lines in the log of activities that are broken. */
const BROKEN_TOLD_MAX = 1_000;

/** The client hints among headers; a name that comes twice keeps its first value. */
function hintsOf(rawHeaders: readonly string[]): Record<string, string> {
  const hints: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length < 9 || (name.charCodeAt(0) | 0x20) !== 0x73) continue;
    const lower = name.toLowerCase();
    if (lower.startsWith('sec-ch-ua')) hints[lower] ??= rawHeaders[i + 1]!;
  }
  return hints;
}
