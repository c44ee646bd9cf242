import { readFileSync } from 'node:fs';

/**
 * Connections of all data listeners together. One that is idle costs some 10 KB, so these are 160 MB; whoever has more
 * clients at once has proxies in front, or several servers.
 */
export const CONNECTIONS_MAX = 16_384;
/** Files of the log and the state, connections to key servers, the admin listener: they must never lack a descriptor. */
export const RESERVED_DESCRIPTORS = 512;
/** Even so, a server that is given next to nothing serves somebody. */
export const CONNECTIONS_MIN = 64;
/** People and scrapers: apart from the others, so that whoever looks why the server is full gets in. */
export const ADMIN_CONNECTIONS_MAX = 128;

/** How many connections there may be at once. Those beyond it are closed before a byte is read. */
export class ConnectionBudget {
  readonly #max: number;
  readonly #onRefused: () => void;
  #open = 0;

  constructor(max: number, onRefused: () => void) {
    this.#max = max;
    this.#onRefused = onRefused;
  }

  /** Whether there is room for one more; then it counts until it is given back. */
  take(): boolean {
    if (this.#open >= this.#max) {
      this.#onRefused();
      return false;
    }
    this.#open += 1;
    return true;
  }

  giveBack(): void {
    this.#open -= 1;
  }
}

/** What this process can afford: a connection takes a descriptor, and without one the log could not go on. */
export function connectionsMax(descriptors: number | null = descriptorsMax()): number {
  if (descriptors === null) return CONNECTIONS_MAX;
  return Math.min(CONNECTIONS_MAX, Math.max(CONNECTIONS_MIN, descriptors - RESERVED_DESCRIPTORS));
}

/** The limit of open files, which Node raises as far as it may when it starts; null where the system does not say. */
function descriptorsMax(): number | null {
  let text: string;
  try {
    text = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return null; // No Linux.
  }
  const limit = /^Max open files +(\d+)/m.exec(text)?.[1];
  return limit === undefined ? null : Number(limit); // "unlimited" is none.
}
