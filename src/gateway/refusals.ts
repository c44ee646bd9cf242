import { httpProblem, type Problem, problem } from '../model/problem.ts';

/** What the gateway itself refuses, in words: what was wrong, and what to do. */

export function noMedia(): Problem {
  return httpProblem(
    404,
    'Not Found',
    'Media collection (/va) is not available in this version of Weir; the other endpoints are.',
  );
}

export function nothingAt(pathname: string, basePath: string): Problem {
  const endpoints = 'v2/interact, v2/collect, v1/interact, v1/collect, v1/privacy/set-consent and v1/identity/acquire';
  return httpProblem(
    404,
    'Not Found',
    `There is nothing at '${pathname.slice(0, 200)}'. Below /${basePath}/ there are ${endpoints}, with POST.`,
  );
}

export function originNotAllowed(origin: string): Problem {
  return httpProblem(
    403,
    'Origin not allowed',
    `Pages of the origin '${origin.slice(0, 200)}' may not send to this datastream. Add it to 'origins' in the datastream's file.`,
  );
}

export function methodNotAllowed(method: string, path: string): Problem {
  return httpProblem(405, 'Method Not Allowed', `${method} is not answered at ${path}: send a POST with a JSON body.`, [
    'allow',
    'POST, OPTIONS',
  ]);
}

export function late(bodyMissing: boolean): Problem {
  return problem(
    'EXEG-0000-503',
    bodyMissing
      ? 'The body did not arrive in time; nothing was stored. Send the request again.'
      : 'The request could not be finished in time. Send it again: an event that was stored meanwhile is recognised by its request id or _id and kept once.',
    {},
    // Counted by itself and not logged: it is the client's doing, and slow clients could fill the log.
    bodyMissing ? { headers: ['connection', 'close'], shedAs: 'slow-body' } : {},
  );
}

export function tooLarge(bytesMax: number): Problem {
  return problem(
    'EXEG-0112-413',
    `The body is larger than ${bytesMax} bytes. Send fewer events at once, or smaller ones.`,
  );
}

export function unexpected(cause: unknown): Problem {
  return problem(
    'EXEG-0001-500',
    'Something went wrong on the server; its log has the details under this request id. Nothing was acknowledged.',
    {},
    { cause },
  );
}
