import type { JsonObject } from './json.ts';
import { printable } from './printable.ts';

/** fatal: the request fails with `status`. error: stands in `errors[]`, the answer is 207. warning: stands in `warnings[]`, the status is unchanged. */
export interface ProblemSpec {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly class: 'fatal' | 'error' | 'warning';
}

type Row = readonly [status: number, className: ProblemSpec['class'], title: string];

/**
 * The error catalogue: codes, statuses, classes and titles as documented. Details are written where the problem is
 * found, in Weir's own words: the value, the field, the remedy.
 */
const ROWS = {
  'EXEG-0000-503': [503, 'fatal', 'Service unavailable'],
  'EXEG-0001-500': [500, 'fatal', 'Unexpected error'],
  'EXEG-0002-400': [400, 'fatal', 'Missing datastream parameter'],
  'EXEG-0003-400': [400, 'fatal', 'Invalid datastream ID'],
  'EXEG-0004-422': [422, 'fatal', 'Datastream disabled'],
  'EXEG-0010-422': [422, 'fatal', 'Invalid datastream configuration'],
  'EXEG-0011-422': [422, 'fatal', 'Could not retrieve sandbox details'],
  'EXEG-0012-422': [422, 'fatal', 'Referenced sandbox cannot be resolved'],
  'EXEG-0013-422': [422, 'fatal', 'Referenced identity namespace code cannot be resolved'],
  'EXEG-0100-500': [500, 'fatal', 'JSON processing error'],
  'EXEG-0101-400': [400, 'fatal', 'Invalid JSON request'],
  'EXEG-0102-400': [400, 'fatal', 'Invalid request field'],
  'EXEG-0103-400': [400, 'fatal', 'Missing required value'],
  'EXEG-0104-422': [422, 'fatal', 'Input validation error'],
  'EXEG-0105-400': [400, 'fatal', 'Input validation error'],
  'EXEG-0106-400': [400, 'fatal', 'Invalid Content-Type header'],
  'EXEG-0107-400': [400, 'fatal', 'Missing required parameter'],
  'EXEG-0108-400': [400, 'fatal', 'Invalid parameter type'],
  'EXEG-0109-408': [408, 'fatal', 'Empty request'],
  'EXEG-0110-400': [400, 'fatal', 'Missing parameter value'],
  'EXEG-0111-415': [415, 'fatal', 'Invalid request'],
  'EXEG-0112-413': [413, 'fatal', 'Invalid request'],
  'EXEG-0113-400': [400, 'fatal', 'Invalid request'],
  'EXEG-0200-504': [504, 'error', 'Service call has timed out'],
  'EXEG-0201-503': [503, 'error', 'Service temporarily unavailable'],
  'EXEG-0202-502': [502, 'error', 'Service failed to process this request'],
  'EXEG-0203-502': [502, 'error', 'Service call has failed'],
  'EXEG-0204-200': [200, 'warning', 'Completed with warning(s)'],
  'EXEG-0205-502': [502, 'error', 'Data exchange producer request failed'],
  'EXEG-0300-502': [502, 'error', 'Could not check user consent'],
  'EXEG-0301-200': [200, 'warning', 'User consent missing'],
  'EXEG-0302-409': [409, 'fatal', 'Update operation not supported'],
  'EXEG-0303-200': [200, 'warning', 'Unauthorized to fetch identities'],
  'EXEG-0304-400': [400, 'fatal', 'Unexpected identities provided'],
  'EXEG-0305-400': [400, 'fatal', 'Invalid identity provided'],
  'EXEG-0306-400': [400, 'fatal', 'Event is missing primary identity'],
  'EXEG-0307-502': [502, 'error', 'User consent update error'],
  'EXEG-0308-400': [400, 'fatal', 'Invalid identity format'],
  'EXEG-0400-403': [403, 'fatal', 'Ignored due to geographical restrictions'],
  'EXEG-0500-401': [401, 'fatal', 'Invalid authorization token'],
  'EXEG-0501-401': [401, 'fatal', 'Invalid user authorization token'],
  'EXEG-0502-401': [401, 'fatal', 'Invalid token signature'],
  'EXEG-0503-401': [401, 'fatal', 'Token expired'],
  'EXEG-0504-401': [401, 'fatal', 'Missing required product context'],
  'EXEG-0505-401': [401, 'fatal', 'Missing token scope'],
  'EXEG-0506-401': [401, 'fatal', 'Missing sandbox write permissions'],
  'va-edge-0400-400': [400, 'fatal', 'Bad Request'],
  'va-edge-0404-404': [404, 'fatal', 'Not Found'],
} as const satisfies Record<string, Row>;

export type ProblemCode = keyof typeof ROWS;

export const CATALOGUE: ReadonlyMap<string, ProblemSpec> = new Map(
  Object.entries(ROWS).map(([code, [status, className, title]]) => [code, { code, status, class: className, title }]),
);

/** Problems of HTTP itself (405, 404 on a path, an origin not allowed): the catalogue has no code for them. */
export function httpProblem(
  status: number,
  title: string,
  detail: string,
  headers: readonly string[] = [],
  options: Pick<ProblemOptions, 'shedAs'> = {},
): Problem {
  return new Problem({ code: '', status, title, class: 'fatal' }, detail, {}, { headers, ...options });
}

/** A problem of the catalogue. `detail` is public: never a stack, a file path or a secret. */
export function problem(
  code: ProblemCode,
  detail: string,
  report: JsonObject = {},
  options: ProblemOptions = {},
): Problem {
  return new Problem(CATALOGUE.get(code)!, detail, report, options);
}

export interface ProblemOptions {
  readonly cause?: unknown;
  /** The server turned a good request away for want of room, and why: it is counted by this, and not logged. */
  readonly shedAs?: string;
  /** Extra response headers, name and value in turn. */
  readonly headers?: readonly string[];
}

/** Thrown = fatal, answered as application/problem+json. Pushed on the Exchange = `errors[]` (207) or `warnings[]`. */
export class Problem extends Error {
  readonly spec: ProblemSpec;
  readonly detail: string;
  readonly report: JsonObject;
  readonly headers: readonly string[];
  readonly shedAs: string | null;
  constructor(spec: ProblemSpec, detail: string, report: JsonObject = {}, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause });
    this.name = 'Problem';
    this.spec = spec;
    this.detail = detail;
    this.report = report;
    this.headers = options.headers ?? [];
    this.shedAs = options.shedAs ?? null;
  }

  /** RFC 9457 members, with the documented `report`. What the detail quotes is made printable. */
  toJson(report: JsonObject): JsonObject {
    const { code, status, title } = this.spec;
    return {
      type: code === '' ? 'about:blank' : `https://ns.adobe.com/aep/errors/${code}`,
      status,
      title,
      detail: printable(this.detail),
      report: { ...this.report, ...report },
    };
  }
}
