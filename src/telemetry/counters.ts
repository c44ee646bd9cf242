import type { EdgeEvent } from '../model/exchange.ts';

/** What became of the events received since the start, by fate, and of the requests that were answered with a problem, by code. */
export class Counters {
  readonly events: Record<EdgeEvent['fate'], number> = { store: 0, withheld: 0, rejected: 0, duplicate: 0 };
  readonly problems: Record<string, number> = {};

  countEvents(events: readonly EdgeEvent[]): void {
    for (const event of events) this.events[event.fate] += 1;
  }

  countProblem(code: string, status: number): void {
    const name = code === '' ? `http-${status}` : code;
    this.problems[name] = (this.problems[name] ?? 0) + 1;
  }
}
