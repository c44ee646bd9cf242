/** Classes of answers; `aborted`: the client was gone before there was one. */
export const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'aborted'] as const;
const ABORTED = STATUS_CLASSES.length - 1;
const LISTENERS = ['edge', 'server'] as const;
/** Requests to no endpoint: pages of the site, and addresses where there is nothing. */
export const NO_ENDPOINT = 'other';

/** Requests by listener, endpoint and class of the status, in one array of numbers for each endpoint. */
export class RequestCounts {
  readonly #byEndpoint = new Map<string, Float64Array>();

  constructor() {
    this.#row(NO_ENDPOINT);
  }

  /** `endpoint`: a name of components.ts, or `NO_ENDPOINT`. `status`: null where no answer was begun. */
  count(listener: 'edge' | 'server', endpoint: string, status: number | null): void {
    const row = this.#byEndpoint.get(endpoint) ?? this.#row(endpoint);
    const statusClass = status === null ? ABORTED : Math.floor(status / 100) - 1;
    row[(listener === 'edge' ? 0 : STATUS_CLASSES.length) + statusClass]! += 1;
  }

  *samples(): Iterable<readonly [value: number, listener: string, endpoint: string, statusClass: string]> {
    for (const [endpoint, row] of this.#byEndpoint) {
      for (const [index, value] of row.entries()) {
        if (value === 0) continue;
        const listener = LISTENERS[Math.floor(index / STATUS_CLASSES.length)]!;
        yield [value, listener, endpoint, STATUS_CLASSES[index % STATUS_CLASSES.length]!];
      }
    }
  }

  #row(endpoint: string): Float64Array {
    const row = new Float64Array(LISTENERS.length * STATUS_CLASSES.length);
    this.#byEndpoint.set(endpoint, row);
    return row;
  }
}
