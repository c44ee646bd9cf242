import { performance } from 'node:perf_hooks';
import { httpProblem, type Problem } from '../model/problem.ts';
import type { Failures } from './failures.ts';
import type { AdminRoute, Caller } from './routes.ts';
import type { TokenStore } from './token-store.ts';

export interface AuthenticationDeps {
  readonly tokens: Pick<TokenStore, 'find'>;
  readonly failures: Failures;
  /** Routes of the class `open` need no token. */
  readonly isOpen: boolean;
}

const ANYBODY: Caller = { tokenId: null, orgId: null, role: 'read', datastreams: null };
const BEARER = /^Bearer +(\S{1,200})$/i;

/**
 * Who calls, and may they? Throws 401, 403, or 429 for an address with too many wrong tokens. A request without a token
 * is no guess and is not counted.
 */
export async function authenticate(
  deps: AuthenticationDeps,
  route: Pick<AdminRoute, 'access' | 'role'>,
  authorization: string | undefined,
  address: string,
): Promise<Caller> {
  if (route.access === 'open' && deps.isOpen) return ANYBODY;
  const { tokens, failures } = deps;
  if (authorization === undefined) throw unauthorized('This address takes a token: Authorization: Bearer weir_at_….');
  const waitSeconds = failures.waitSeconds(address, performance.now());
  if (waitSeconds > 0) throw tooManyFailures(waitSeconds);
  const text = BEARER.exec(authorization)?.[1];
  const token = text === undefined ? null : await tokens.find(text);
  if (token === null) {
    failures.failed(address, performance.now());
    throw unauthorized('The token is not known, has expired or was revoked.');
  }
  const { id: tokenId, orgId, role, datastreams } = token;
  if (route.access === 'operator' && (orgId !== null || datastreams !== null)) {
    throw forbidden(
      'This token is of one org; the address shows or changes the whole server. Use a token without an org.',
    );
  }
  if (route.role === 'admin' && role !== 'admin')
    throw forbidden('This token may only read. Use one of the role admin.');
  return { tokenId, orgId, role, datastreams };
}

function unauthorized(detail: string): Problem {
  return httpProblem(401, 'Unauthorized', `${detail} 'weir admin-token create' makes one.`, [
    'www-authenticate',
    'Bearer realm="weir admin"',
  ]);
}

function forbidden(detail: string): Problem {
  return httpProblem(403, 'Forbidden', detail);
}

function tooManyFailures(waitSeconds: number): Problem {
  return httpProblem(429, 'Too Many Requests', `Too many wrong tokens came from here. Wait ${waitSeconds} seconds.`, [
    'retry-after',
    String(waitSeconds),
  ]);
}
