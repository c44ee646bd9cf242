import { missingConsent, PERSONALIZING } from '../model/consent-gate.ts';
import { warnOfEvents } from '../model/event-warnings.ts';
import type { EdgeEvent, Exchange } from '../model/exchange.ts';
import type { JsonObject } from '../model/json.ts';
import type { Stage } from '../model/parts.ts';
import { problem } from '../model/problem.ts';
import {
  ATTRIBUTES_MAX,
  changedAttributes,
  type SentAttributes,
  sentAttributes,
  withAttributes,
} from '../model/profile-attributes.ts';
import type { DecidingTools } from './deciding.ts';
import { changeSection, personOf, type ReadPerson, sectionOf } from './person-sections.ts';

/**
 * Keeps what events say of their visitors: `profile.*` of `data.__adobe.target`, on the device's ECID. Only where the org
 * decides anything, and the visitor has agreed to personalisation. What is kept already costs no change. Of an event without
 * an ECID nothing is kept (chosen), which its answer says.
 */
export class Profile implements Stage {
  readonly name = 'profile';
  readonly service = null;
  readonly #tools: DecidingTools | null;

  constructor(tools: DecidingTools | null) {
    this.#tools = tools;
  }

  run(x: Exchange): undefined {
    if (this.#tools === null || x.datastream.decisions === null) return;
    let kept: Map<string, Kept> | null = null;
    const refused = new Map<number, string>();
    for (const event of x.events) {
      if (event.data === null || event.fate !== 'store') continue;
      const sent = sentAttributes(event.data);
      if (sent === null || missingConsent(PERSONALIZING, event.consent) !== null) continue;
      const person = personOf(x, event, 'ECID');
      if (person === null && event.ecid !== null) continue;
      kept ??= new Map();
      const full = person === null ? wanted(sent.attributes) : keep(kept, person, sent.attributes);
      const names = [...sent.refused, ...full];
      if (names.length > 0) refused.set(event.index, names.join(', ').slice(0, NAMES_CHARACTERS_MAX));
    }
    if (kept === null) return;
    for (const { person, changed } of kept.values()) {
      if (changed !== null) changeSection(x, this.#tools.clock, person, 'profile', changed);
    }
    if (refused.size > 0)
      warnOfEvents(x.warnings, [...refused.keys()], (index) => warning(x, index, refused.get(index)!));
  }
}

const NAMES_CHARACTERS_MAX = 200;

type Sent = SentAttributes['attributes'];

interface Kept {
  readonly person: ReadPerson;
  /** With what the request has brought so far. */
  all: JsonObject;
  changed: JsonObject | null;
}

/** Returns the names of those for which there is no room. */
function keep(kept: Map<string, Kept>, person: ReadPerson, sent: Sent): string[] {
  let one = kept.get(person.key);
  if (one === undefined) {
    const value = sectionOf(person, 'profile')?.['value'];
    one = { person, all: (value as JsonObject | undefined) ?? {}, changed: null };
    kept.set(person.key, one);
  }
  const changed = changedAttributes(one.all, sent);
  if (changed !== null) {
    one.all = withAttributes(one.all, changed);
    one.changed = { ...one.changed, ...changed };
  }
  const { all } = one;
  return wanted(sent).filter((name) => !Object.hasOwn(all, name));
}

/** Names of those that the event does not take away. */
function wanted(sent: Sent): string[] {
  return Object.keys(sent).filter((name) => sent[name] !== null);
}

function warning(x: Exchange, index: EdgeEvent['index'], names: string) {
  const isNobodys = x.events.find((event) => event.index === index)?.ecid === null;
  return problem(
    'EXEG-0204-200',
    isNobodys
      ? `These profile attributes are not kept: ${names}. They are kept of devices, and the event names none: send its ECID, or the attributes with every event that they are to decide.`
      : `These profile attributes are not kept: ${names}. An attribute is a text of at most 256 characters, a number, true or false, and a visitor has at most ${ATTRIBUTES_MAX}.`,
    x.events.length > 1 ? { eventIndex: index } : {},
  );
}
