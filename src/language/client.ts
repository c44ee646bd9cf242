import { type Json, type JsonObject, valueAt } from '../model/json.ts';

/** What is known of the program and the device that an event is from. */

/** What a user agent's text says. `parse` is not pure (it remembers), so it is given: net/user-agents.ts. */
export interface ParsedAgent {
  readonly browser: NameAndVersion;
  readonly os: NameAndVersion;
  readonly vendor: string | null;
  readonly model: string | null;
  /** null: none of those that are not desktops. */
  readonly deviceType: string | null;
  readonly isBot: boolean;
}
export interface NameAndVersion {
  readonly name: string | null;
  readonly version: string | null;
}

export interface ClientInputs {
  /** The header; "" for none. */
  readonly userAgent: string;
  /** Names in lower case; only Sec-CH-UA* are looked at. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly xdm: JsonObject;
  readonly parse: (userAgent: string) => ParsedAgent;
}

/**
 * The fact `client`. Client hints come before the user agent, whose versions browsers have frozen; hints of the event
 * (`xdm.environment.browserDetails.userAgentClientHints`, as the Web SDK collects them) before those of headers. An event
 * that brings a user agent (`browserDetails.userAgent`: a server that forwards, an app) is about that one.
 */
export function clientFacts({ userAgent, headers, xdm, parse }: ClientInputs): JsonObject {
  const forwarded = forwardedAgent(xdm);
  const agent = parse(forwarded ?? userAgent);
  const hints = forwarded === null ? hintsOf(headers) : NO_HINTS;
  const event = valueAt(xdm, 'environment', 'browserDetails', 'userAgentClientHints');
  const platform = hints.platform;
  const platformVersion = shortText(valueAt(event, 'platformVersion')) ?? hints.platformVersion;
  const model = shortText(valueAt(event, 'model')) ?? hints.model;
  const browser = hints.brand ?? agent.browser;
  const os = osOf(agent.os, platform, platformVersion, xdm);
  return {
    browser: { name: browser.name, version: browser.version, major: majorOf(browser.version) },
    os: { name: os.name, version: os.version },
    device: {
      vendor: agent.vendor ?? shortText(valueAt(xdm, 'device', 'manufacturer')),
      model: model ?? agent.model ?? shortText(valueAt(xdm, 'device', 'model')),
    },
    deviceType: deviceTypeOf(agent, hints, xdm),
    isBot: agent.isBot,
    hints: {
      platform,
      platformVersion,
      model,
      mobile: hints.mobile,
      architecture: shortText(valueAt(event, 'architecture')) ?? hints.architecture,
      bitness: shortText(valueAt(event, 'bitness')) ?? hints.bitness,
    },
  };
}

/** The user agent that an event is about. `userAgent`: the header. */
export function userAgentOf(userAgent: string, xdm: JsonObject): string {
  return forwardedAgent(xdm) ?? userAgent;
}

function forwardedAgent(xdm: JsonObject): string | null {
  const given = valueAt(xdm, 'environment', 'browserDetails', 'userAgent');
  return typeof given === 'string' && given !== '' ? given : null;
}

interface Hints {
  readonly brand: NameAndVersion | null;
  readonly platform: string | null;
  readonly platformVersion: string | null;
  readonly model: string | null;
  readonly mobile: boolean | null;
  readonly formFactor: string | null;
  readonly architecture: string | null;
  readonly bitness: string | null;
}
const NO_HINTS: Hints = {
  brand: null,
  platform: null,
  platformVersion: null,
  model: null,
  mobile: null,
  formFactor: null,
  architecture: null,
  bitness: null,
};

/** Documented: the headers' grammar in "User-Agent Client Hints" of the WICG. */
function hintsOf(headers: ClientInputs['headers']): Hints {
  if (headers['sec-ch-ua'] === undefined && headers['sec-ch-ua-platform'] === undefined) return NO_HINTS;
  const mobile = headers['sec-ch-ua-mobile'];
  return {
    brand: brandOf(headers['sec-ch-ua-full-version-list']) ?? brandOf(headers['sec-ch-ua']),
    platform: quotedText(headers['sec-ch-ua-platform']),
    platformVersion: quotedText(headers['sec-ch-ua-platform-version']),
    model: quotedText(headers['sec-ch-ua-model']),
    mobile: mobile === '?1' ? true : mobile === '?0' ? false : null,
    formFactor: quotedText(headers['sec-ch-ua-form-factors']),
    architecture: quotedText(headers['sec-ch-ua-arch']),
    bitness: quotedText(headers['sec-ch-ua-bitness']),
  };
}

/** A header of ten brands has some 400 characters; a longer one is not read. */
const HINT_CHARACTERS_MAX = 1_024;
const BRAND = /"([^"\\]{1,64})";\s?v="([^"\\]{1,64})"/g;
/** Names that browsers make up so that nobody relies on the list: "Not A;Brand", "Not/A)Brand". Documented. */
const MADE_UP = /^\W*not\W.*brand/i;
/** Brands by the names that user agents have. */
const BROWSERS: Readonly<Record<string, string>> = {
  'Google Chrome': 'Chrome',
  'Microsoft Edge': 'Edge',
  HeadlessChrome: 'Chrome Headless',
  'Android WebView': 'Chrome WebView',
};

/** The browser of a list of brands: the one that is not the engine, if there is one. */
function brandOf(header: string | readonly string[] | undefined): NameAndVersion | null {
  if (typeof header !== 'string' || header.length > HINT_CHARACTERS_MAX) return null;
  let found: NameAndVersion | null = null;
  for (const [, name, version] of header.matchAll(BRAND)) {
    if (MADE_UP.test(name!) || (found !== null && name === 'Chromium')) continue;
    found = { name: Object.hasOwn(BROWSERS, name!) ? BROWSERS[name!]! : name!, version: version! };
    if (name !== 'Chromium') break;
  }
  return found;
}

/** The first text of a header of one or several; null where it is empty. */
function quotedText(header: string | readonly string[] | undefined): string | null {
  if (typeof header !== 'string' || header.length > HINT_CHARACTERS_MAX) return null;
  return /^"([^"\\]{1,128})"/.exec(header)?.[1] ?? null;
}

/** Versions of the platform are those of Windows' interface, not of Windows. Documented by Microsoft. */
const WINDOWS_11_PLATFORM = 13;
const PLATFORMS: Readonly<Record<string, string>> = {
  macOS: 'Mac OS',
  'Chrome OS': 'Chromium OS',
  'Chromium OS': 'Chromium OS',
};

function osOf(
  parsed: NameAndVersion,
  platform: string | null,
  version: string | null,
  xdm: JsonObject,
): NameAndVersion {
  const name = platform === null ? parsed.name : Object.hasOwn(PLATFORMS, platform) ? PLATFORMS[platform]! : platform;
  if (name === null) {
    const system = shortText(valueAt(xdm, 'environment', 'operatingSystem'));
    return { name: system, version: shortText(valueAt(xdm, 'environment', 'operatingSystemVersion')) };
  }
  const known = name === parsed.name ? parsed.version : null;
  if (version === null) return { name, version: known };
  if (name !== 'Windows') return { name, version };
  const major = Number.parseInt(version, 10);
  return { name, version: major >= WINDOWS_11_PLATFORM ? '11' : major >= 1 ? '10' : known };
}

const FORM_FACTORS: Readonly<Record<string, string>> = {
  Mobile: 'mobile',
  Tablet: 'tablet',
  Desktop: 'desktop',
  XR: 'xr',
  Watch: 'wearable',
  Automotive: 'embedded',
};

function deviceTypeOf(agent: ParsedAgent, hints: Hints, xdm: JsonObject): string {
  if (hints.formFactor !== null && Object.hasOwn(FORM_FACTORS, hints.formFactor))
    return FORM_FACTORS[hints.formFactor]!;
  if (hints.mobile === true && (agent.deviceType === null || agent.deviceType === 'mobile')) return 'mobile';
  if (agent.deviceType !== null) return agent.deviceType;
  if (hints.mobile === false || agent.os.name !== null || agent.browser.name !== null) return 'desktop';
  return shortText(valueAt(xdm, 'device', 'type')) ?? 'unknown';
}

/** "124" of "124.0.6367.118". */
function majorOf(version: string | null): string | null {
  return version === null ? null : (/^\d+/.exec(version)?.[0] ?? null);
}

/** Names and versions of events; longer texts are none. */
const NAME_CHARACTERS_MAX = 128;
function shortText(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' && value.length <= NAME_CHARACTERS_MAX ? value : null;
}
