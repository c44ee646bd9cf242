import type { Demand } from '../model/demand.ts';
import { type Problem, problem } from '../model/problem.ts';

/** What waits for the disk, as far as admission looks at it. */
export interface LogQueue {
  /** How long an append that comes now will wait, as far as one can tell, in milliseconds. */
  readonly waitMs: number;
  readonly queueBytes: number;
}

export interface AdmissionLimits {
  /** Of a request: what waits longer comes to nothing. */
  readonly deadlineMs: number;
  /** The log refuses what waits longer. */
  readonly queueAgeMsMax: number;
  /** The log refuses more. */
  readonly queueBytesMax: number;
}

/**
 * The part of the limits at which requests are turned away. What is admitted is still to be read and parsed within the
 * deadline, and the estimate is off by something: a quarter is left for that. Between the two only data comes in: an answer
 * that was not given can be asked for again, an event that a client gave up is gone. Chosen; at half of these a machine
 * whose processors are busy with other things sheds what its disk could take.
 */
export const SHED_AT: Readonly<Record<Demand, number>> = { interact: 1 / 2, collect: 3 / 4 };

/**
 * From here on requests are answered without decisions, before any of them is turned away: an answer with its event stored is
 * worth more than one with decisions that is not given. Chosen: half of the part at which `interact` goes.
 */
export const DECISIONS_SHED_AT = SHED_AT.interact / 2;

/**
 * Turns requests away before their bodies are read, when the disk would come to them too late. Without this everything
 * would be taken, and answered too late: past its capacity a server would do nothing useful at all.
 */
export class Admission {
  readonly #queue: LogQueue;
  readonly #limits: AdmissionLimits;

  constructor(queue: LogQueue, limits: AdmissionLimits) {
    this.#queue = queue;
    this.#limits = limits;
  }

  /** Why a request is turned away; null where it may come in. A few comparisons of numbers that are there. */
  refusal(demand: Demand): Problem | null {
    return this.#isWithin(SHED_AT[demand]) ? null : REFUSALS[demand];
  }

  /** Whether there is time for decisions. For the stage that makes them. */
  get hasTimeToDecide(): boolean {
    return this.#isWithin(DECISIONS_SHED_AT);
  }

  #isWithin(part: number): boolean {
    const { deadlineMs, queueAgeMsMax, queueBytesMax } = this.#limits;
    const waitMsMax = Math.min(deadlineMs, queueAgeMsMax);
    return this.#queue.waitMs <= waitMsMax * part && this.#queue.queueBytes <= queueBytesMax * part;
  }
}

/** Made once: there are many of them when there is no time. */
const REFUSALS: Readonly<Record<Demand, Problem>> = {
  interact: overloaded('interact'),
  collect: overloaded('collect'),
};

function overloaded(demand: Demand): Problem {
  return problem(
    'EXEG-0000-503',
    'The server has more to store than its disk takes at present; nothing of this request was read. Send it again.',
    {},
    { shedAs: `overload-${demand}` },
  );
}
