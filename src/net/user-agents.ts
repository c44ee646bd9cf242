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
  readonly #known = new Map<string, UserAgent>();
  readonly #keptMax: number;

  constructor(keptMax = USER_AGENTS_KEPT_MAX) {
    this.#keptMax = keptMax;
  }

  readonly parse = (userAgent: string): UserAgent => {
    const text = userAgent.slice(0, USER_AGENT_CHARACTERS_MAX);
    const known = this.#known.get(text);
    if (known !== undefined) {
      // Put back at the end: the first of the map is the one that was not asked for the longest.
      this.#known.delete(text);
      this.#known.set(text, known);
      return known;
    }
    const parsed = read(text);
    this.#known.set(text, parsed);
    if (this.#known.size > this.#keptMax) this.#known.delete(this.#known.keys().next().value!);
    return parsed;
  };

  get kept(): number {
    return this.#known.size;
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
