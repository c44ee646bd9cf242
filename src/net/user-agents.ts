import { createRequire } from 'node:module';

interface Readers {
  readonly isbot: typeof import('isbot').isbot;
  readonly UAParser: typeof import('ua-parser-js').UAParser;
}
let readers: Readers | null = null;

/** The same program says the same of itself with every request, so a few thousand texts are nearly all that come. Some 3 MB. */
export const USER_AGENTS_KEPT_MAX = 4_000;
/** Of a longer one the beginning is read. */
export const USER_AGENT_CHARACTERS_MAX = 500;

/** What a user agent's text says of the program, its system and its device. */
export interface UserAgent {
  readonly browser: { readonly name: string | null; readonly version: string | null };
  readonly os: { readonly name: string | null; readonly version: string | null };
  readonly vendor: string | null;
  readonly model: string | null;
  /** mobile, tablet, smarttv, console, wearable, embedded; null: none of those. */
  readonly deviceType: string | null;
  readonly isBot: boolean;
}

/**
 * Reads user agents, which costs 30 to 80 µs, and remembers those that came last. What reads them is loaded with the first one
 * (40 ms), so that a start does not wait for it: a server that will need it asks for "" once it is ready.
 */
export class UserAgents {
  /** Two halves: what is asked for moves to the new one, and what is left in the old one when the new one is full is let go. */
  #fresh = new Map<string, UserAgent>();
  #stale = new Map<string, UserAgent>();
  readonly #halfMax: number;

  constructor(keptMax = USER_AGENTS_KEPT_MAX) {
    this.#halfMax = keptMax / 2;
  }

  readonly parse = (userAgent: string): UserAgent => {
    const text =
      userAgent.length <= USER_AGENT_CHARACTERS_MAX ? userAgent : userAgent.slice(0, USER_AGENT_CHARACTERS_MAX);
    const known = this.#fresh.get(text);
    if (known !== undefined) return known;
    const parsed = this.#stale.get(text) ?? read(text);
    if (this.#fresh.size >= this.#halfMax) {
      this.#stale = this.#fresh;
      this.#fresh = new Map();
    }
    this.#fresh.set(text, parsed);
    return parsed;
  };

  get kept(): number {
    return this.#fresh.size + this.#stale.size;
  }
}

function load(): Readers {
  const require = createRequire(import.meta.url);
  return { isbot: require('isbot').isbot, UAParser: require('ua-parser-js').UAParser };
}

function read(text: string): UserAgent {
  readers ??= load();
  const { isbot, UAParser } = readers;
  const { browser, os, device } = new UAParser(text).getResult();
  return {
    browser: { name: browser.name ?? null, version: browser.version ?? null },
    os: { name: os.name ?? null, version: os.version ?? null },
    vendor: device.vendor ?? null,
    model: device.model ?? null,
    deviceType: device.type ?? null,
    isBot: isbot(text),
  };
}
