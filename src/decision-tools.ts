import { join } from 'node:path';
import { secretKeys } from './config/secret-key.ts';
import { HybridClock } from './model/hybrid-time.ts';
import type { DecisionTools } from './stages/notify.ts';
import { TokenSeal } from './stages/token-seal.ts';
import type { Counters } from './telemetry/counters.ts';

/** The key that signs, and the one before it. */
const TOKEN_KEYS_MAX = 2;

/**
 * What the stages need to make decisions and to hear of them, with the keys of this installation. To be called under the lock
 * of the data folder.
 */
export async function decisionTools(keysFolder: string, counters: Counters): Promise<DecisionTools> {
  const place = { variable: 'WEIR_EVENT_TOKEN_KEYS', file: null, ownFile: join(keysFolder, 'event-tokens.keys') };
  return {
    seal: new TokenSeal(await secretKeys(place, process.env, TOKEN_KEYS_MAX)),
    clock: new HybridClock(),
    counts: counters.decisions,
  };
}
