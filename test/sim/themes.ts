import type { LogLimits } from './process.ts';
import type { Random } from './random.ts';
import { keptVisitOf, recordOf, visitOf } from './requests.ts';
import type { Weather } from './weather.ts';

/**
 * What a schedule does more often than the rest. `mixed` does everything alike; the others lead to places where that
 * rarely comes: `busy`, batch after batch, and commits that come late; `upkeep`, snapshots and retention while records
 * are being written; `decay`, bits that flip in much that was written; `tight`, a disk that is full time and again; `erasure`,
 * persons who are erased, and carried out, while others come; `stuck`, the same, with files that retention drops and the disk does
 * not let go; `expiry`, days that pass, events that expire by rules that change, and choices, erasures and receipts that outlive them.
 */
export type Theme = 'mixed' | 'busy' | 'upkeep' | 'decay' | 'tight' | 'erasure' | 'stuck' | 'expiry';
export const THEMES: readonly Theme[] = ['mixed', 'busy', 'upkeep', 'decay', 'tight', 'erasure', 'stuck', 'expiry'];

export const WEATHER_OF: Partial<Record<Theme, Weather>> = { decay: 'rot', tight: 'full-disk', stuck: 'calm' };

export const REQUEST_OF: Record<Theme, typeof recordOf> = {
  ...{ mixed: recordOf, busy: recordOf, upkeep: recordOf, decay: recordOf, tight: recordOf },
  ...{ erasure: visitOf, stuck: visitOf, expiry: keptVisitOf },
};

const DAY_MS = 24 * 60 * 60 * 1000;

export function limitsOf(theme: Theme, random: Random): LogLimits {
  const limits = {
    segmentBytes: random.between(400, 4000),
    preallocateBytes: random.oneIn(3) ? 0 : random.between(256, 2048),
    lowWaterBytes: random.between(0, 1000),
    reservedBytes: random.oneIn(4) ? 0 : 512,
    retention: { maxAgeMs: random.oneIn(4) ? 2000 : null, maxBytes: random.oneIn(2) ? 2000 : null },
  };
  return { ...limits, ...otherLimits(theme, random) };
}

/** What is other than in a mixed schedule. */
function otherLimits(theme: Theme, random: Random): Partial<LogLimits> {
  if (theme === 'decay') return { retention: { maxAgeMs: null, maxBytes: null } };
  if (theme === 'erasure') return { segmentBytes: random.between(600, 2500) };
  if (theme === 'stuck') {
    const retention = { maxAgeMs: null, maxBytes: random.between(1, 3000) };
    return { segmentBytes: random.between(600, 2500), retention };
  }
  if (theme === 'expiry') {
    const retention = {
      maxAgeMs: random.oneIn(3) ? random.between(1, 6) * DAY_MS : null,
      maxBytes: random.oneIn(2) ? random.between(1, 3000) : null,
    };
    const limits = { segmentBytes: random.between(600, 2500), retention };
    return random.oneIn(2) ? limits : { ...limits, proofsMaxAgeMs: random.between(1, 6) * DAY_MS };
  }
  if (theme === 'tight')
    return { segmentBytes: random.between(600, 2000), retention: { maxAgeMs: null, maxBytes: null } };
  if (theme !== 'upkeep') return {};
  // Little is kept, so that there is always something to drop.
  const retention = {
    maxAgeMs: random.oneIn(4) ? 2000 : null,
    maxBytes: random.oneIn(2) ? 1 : random.between(1, 1500),
  };
  return { segmentBytes: random.between(300, 1200), retention };
}
