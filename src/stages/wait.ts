import type { Exchange } from '../model/exchange.ts';
import type { Stage, StateStore } from '../model/parts.ts';
import { Problem, problem } from '../model/problem.ts';
import { type ChoicesUnderWay, visitorKeysOf } from './choices-under-way.ts';
import { withinDeadline } from './deadline.ts';
import type { TcStrings } from './tc-strings.ts';

/**
 * Waits until it can be told what the visitors of a request have chosen: until a choice that came before is in state, and
 * until the decoder of TC strings is loaded, where there are any. It is run again behind each wait, and where it has nothing to
 * wait for, everything from there to the log is done in one turn. So an event goes by the last choice before it in the log, and
 * a choice points to the last one. (Of a state that answers later than at once this holds but for the time that it takes.)
 */
export class Wait implements Stage {
  readonly name = 'wait';
  readonly service = null;
  readonly #state: StateStore;
  readonly #choices: ChoicesUnderWay;
  readonly #strings: TcStrings;

  constructor(state: StateStore, choices: ChoicesUnderWay, strings: TcStrings) {
    this.#state = state;
    this.#choices = choices;
    this.#strings = strings;
  }

  run(x: Exchange): undefined | Promise<'again'> {
    if (!this.#strings.isLoaded && mentionsTcf(x)) return this.#load(x);
    const earlier = this.#choices.of(x);
    return earlier === null ? undefined : this.#behind(x, earlier);
  }

  async #load(x: Exchange): Promise<'again'> {
    try {
      await this.#strings.load();
    } catch (cause) {
      throw cannotRead(x, cause);
    }
    return this.#behind(x, Promise.resolve());
  }

  /** What is known of the visitors is read anew: it was read before. */
  async #behind(x: Exchange, work: Promise<unknown>): Promise<'again'> {
    const keys = visitorKeysOf(x);
    const persons = await withinDeadline(
      x,
      'state',
      work.then(() => this.#state.getMany(keys)),
    );
    if (persons instanceof Problem) throw persons;
    for (const [index, key] of keys.entries()) x.persons.set(key, persons[index] ?? null);
    return 'again';
  }
}

function mentionsTcf({ received, events }: Exchange): boolean {
  if (received.consent !== null) return received.consent.some((entry) => entry['standard'] === 'IAB TCF');
  for (const event of events) if (event.xdm['consentStrings'] !== undefined) return true;
  return false;
}

function cannotRead(x: Exchange, cause: unknown): Problem {
  const isChoice = x.received.consent !== null;
  return problem(
    isChoice ? 'EXEG-0307-502' : 'EXEG-0300-502',
    `TC strings cannot be read at the moment, so ${isChoice ? 'no choice' : 'nothing of this request'} was stored. Send it again.`,
    {},
    { cause },
  );
}
