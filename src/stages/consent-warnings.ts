import { warnOfEvents } from '../model/event-warnings.ts';
import type { Exchange } from '../model/exchange.ts';
import { type Problem, problem } from '../model/problem.ts';

/** What is said of a request's events and their consent: gathered while they are judged, and said together. */
export class ConsentWarnings {
  /** Indexes of events that were withheld; of those whose strings cannot be read, why. */
  readonly #withheld: number[] = [];
  readonly #unreadable = new Map<number, string>();
  readonly #passedOver = new Map<number, readonly string[]>();

  withheld(index: number): void {
    this.#withheld.push(index);
  }

  unreadable(index: number, why: string): void {
    this.#unreadable.set(index, why);
  }

  /** `entries`: consent strings that have no effect, as they are to be named. */
  passedOver(index: number, entries: readonly string[]): void {
    this.#passedOver.set(index, entries);
  }

  say(x: Exchange): void {
    warnOfEvents(x.warnings, this.#withheld, (index) => withheldWarning(x, index, this.#unreadable.get(index) ?? null));
    warnOfEvents(x.warnings, [...this.#passedOver.keys()], (index) =>
      problem(
        'EXEG-0204-200',
        `Consent strings of other standards than "IAB TCF" from "2.0" on have no effect: ${this.#passedOver.get(index)!.join('; ')}.`,
        reportOf(x, index),
      ),
    );
  }
}

function withheldWarning(x: Exchange, index: number, unreadable: string | null): Problem {
  const { collect, recordId } = x.events[index]!.consent;
  const outcome = `${x.events.length > 1 ? `Event ${index}` : 'The event'} was not stored and brought no decisions`;
  const remedy = "It is stored again after a set-consent with collect 'y'.";
  if (unreadable !== null) {
    return problem(
      'EXEG-0301-200',
      `${outcome}: ${unreadable}. Consent that cannot be read is none.`,
      reportOf(x, index),
    );
  }
  const why =
    recordId === null
      ? `this visitor has not chosen, and what holds then on this datastream is '${collect}'`
      : `this visitor's consent to collection is '${collect}'`;
  return problem('EXEG-0301-200', `${outcome}: ${why}. ${remedy}`, reportOf(x, index));
}

function reportOf(x: Exchange, index: number): { eventIndex?: number } {
  return x.events.length > 1 ? { eventIndex: index } : {};
}
