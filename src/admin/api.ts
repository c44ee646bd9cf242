import { Readable } from 'node:stream';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { httpProblem, Problem } from '../model/problem.ts';
import { type AuthenticationDeps, authenticate } from './authentication.ts';
import { AdminQuery } from './query.ts';
import { type AdminAnswer, type AdminRoute, type Plane, ROUTES } from './routes.ts';

/** No body of the admin API is larger. */
const BODY_BYTES_MAX = 65_536;

/** Ids in a path, percent-encoded: those that are linked have 254 characters at most. */
const PARAMETER_CHARACTERS_MAX = 254 * 9;

export interface AdminDeps extends AuthenticationDeps {
  readonly plane: Plane;
  /** Told of what went wrong on our side. */
  readonly report: (error: Error) => void;
}

/** The admin listener's requests: the routes of routes.ts, each behind its authentication, and nothing else. */
export function createAdmin(deps: AdminDeps): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX },
  });
  for (const route of ROUTES) {
    const handler = (request: FastifyRequest, reply: FastifyReply) => answer(deps, route, request, reply);
    app.route({ method: route.method, url: route.path, handler });
  }
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!.slice(0, 200);
    refuse(reply, httpProblem(404, 'Not Found', `There is nothing for ${request.method} at '${path}'.`));
  });
  app.setErrorHandler((error: Error & { readonly statusCode?: number }, _request, reply) => {
    if (error instanceof Problem) return refuse(reply, error);
    const status = error.statusCode ?? 500;
    if (status < 500) return refuse(reply, httpProblem(status, 'Bad Request', error.message));
    deps.report(error);
    return refuse(reply, httpProblem(500, 'Internal Server Error', 'The server’s log says what went wrong.'));
  });
  return app;
}

async function answer(
  deps: AdminDeps,
  route: AdminRoute,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { headers, socket, url } = request.raw;
  const caller = await authenticate(deps, route, headers.authorization, socket.remoteAddress ?? '');
  const mark = url!.indexOf('?');
  const query = new AdminQuery(route.query, mark === -1 ? '' : url!.slice(mark + 1));
  const params = request.params as Readonly<Record<string, string>>;
  const {
    status = 200,
    type = 'application/json; charset=utf-8',
    body,
  } = await route.answer(deps.plane, {
    caller,
    params,
    query,
  });
  return plain(reply)
    .code(status)
    .type(type)
    .send(isStream(body) ? Readable.from(body) : typeof body === 'string' ? body : JSON.stringify(body));
}

function isStream(body: AdminAnswer['body']): body is AsyncIterable<string> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

function refuse(reply: FastifyReply, problem: Problem): FastifyReply {
  const { headers } = problem;
  for (let i = 0; i < headers.length; i += 2) reply.header(headers[i]!, headers[i + 1]!);
  const type = 'application/problem+json; charset=utf-8';
  return plain(reply)
    .code(problem.spec.status)
    .type(type)
    .send(JSON.stringify(problem.toJson({})));
}

function plain(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
}
