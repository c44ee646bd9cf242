import { type FastifyInstance, fastify } from 'fastify';

/** What `/health` says. `degraded`: Weir serves, but something needs an operator. */
export interface Health {
  readonly status: 'ok' | 'degraded';
  /** What an acknowledged event has survived: a sync to this machine's disk. */
  readonly durability: 'local-fsync';
  readonly startedAt: string;
  readonly workspace: {
    readonly hash: string;
    readonly loadedAt: string;
    readonly rejected: readonly string[];
    readonly warnings: readonly string[];
  };
  readonly log: { readonly nextOffset: number; readonly refusing: string | null; readonly damage: readonly string[] };
  readonly eventsSinceStart: Readonly<Record<string, number>>;
  readonly problemsSinceStart: Readonly<Record<string, number>>;
}

/** The admin plane. In this version it says how the server is; administration and the console come later, and their paths say so. */
export function createAdmin(health: () => Health): FastifyInstance {
  const app = fastify({ logger: false, requestTimeout: 10_000, bodyLimit: 65_536 });
  app.get('/health', (_request, reply) => reply.header('cache-control', 'no-store').send(health()));
  app.setNotFoundHandler((request, reply) => {
    reply
      .code(404)
      .type('application/problem+json')
      .send({
        type: 'about:blank',
        status: 404,
        title: 'Not Found',
        detail: `There is nothing at '${request.url.slice(0, 200)}'. This version answers GET /health here; the console and the admin API are not part of it yet.`,
      });
  });
  return app;
}
