import { type Problem, type ProblemCode, problem } from '../model/problem.ts';

/** What access control answers, in words. Nothing of a token is repeated: answers end up in logs. */

const CHALLENGE = ['www-authenticate', 'Bearer'];

function refusal(code: ProblemCode, detail: string, cause?: unknown): Problem {
  return problem(code, detail, {}, { headers: CHALLENGE, cause });
}

/** `hint`: how to get in, and where to go without a token. */
export function noCredentials(missing: readonly string[], hint: string): Problem {
  const headers = missing.map((name) => `'${name}'`).join(' and ');
  return refusal('EXEG-0500-401', `${headers} ${missing.length === 1 ? 'is' : 'are'} missing. ${hint}`);
}

export function malformed(what: string, cause?: unknown): Problem {
  return refusal('EXEG-0500-401', `${what}. Send 'Authorization: Bearer <access token>', a JWT.`, cause);
}

/** `why`: the refusal that the same token would get as an access token. */
export function badUserToken(why: Problem): Problem {
  const what = {
    'EXEG-0500-401': 'is no JWT',
    'EXEG-0502-401': 'cannot be trusted',
    'EXEG-0503-401': 'is expired',
  }[why.spec.code];
  return refusal(
    'EXEG-0501-401',
    `The token in 'x-user-token' ${what ?? 'is not good'}. Send a good one, without 'Bearer', or leave the header out.`,
    why,
  );
}

export function notTrusted(what: string, cause?: unknown): Problem {
  return refusal(
    'EXEG-0502-401',
    `The access token cannot be trusted. ${what}. Which tokens are taken stands under 'auth' in weir.yaml.`,
    cause,
  );
}

export function expired(what: string, cause?: unknown): Problem {
  return refusal(
    'EXEG-0503-401',
    `The access token is expired. ${what}. Get a new one, and send the request again.`,
    cause,
  );
}

export function otherClient(): Problem {
  return refusal(
    'EXEG-0504-401',
    "The header 'x-api-key' is not the id of the client that the access token was made for. Send both of one client.",
  );
}

export function otherOrg(): Problem {
  return refusal(
    'EXEG-0504-401',
    "The client of this access token may not act for the org in 'x-gw-ims-org-id'. Name the token's org; or let an operator enter the client with this org in 'auth.issuers[].clients' of weir.yaml.",
  );
}

export function noScope(scope: string): Problem {
  return refusal('EXEG-0505-401', `The access token lacks the scope '${scope}'. Ask its issuer for one that has it.`);
}

export function noDatastream(): Problem {
  return refusal(
    'EXEG-0506-401',
    "The client of this access token may not write to this datastream. Let an operator add the datastream to the client's 'datastreams' in 'auth.issuers[].clients' of weir.yaml.",
  );
}

export function keysAway(cause: unknown): Problem {
  return problem(
    'EXEG-0000-503',
    'The access token cannot be checked now, because the keys of its issuer are not to be had; nothing was stored. Send the request again later.',
    {},
    { cause },
  );
}
