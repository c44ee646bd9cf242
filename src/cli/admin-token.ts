import { existsSync } from 'node:fs';
import { guess } from '../model/did-you-mean.ts';
import { adminTokens } from '../server.ts';
import { type Command, type Io, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir admin-token create --data DIR [--org ORG [--datastream ID …]]
                               [--role read|admin] [--expires 30d]
       weir admin-token list --data DIR
       weir admin-token revoke ID --data DIR

Tokens for the admin listener: Authorization: Bearer weir_at_…. A running server
sees changes at once. Run it as the user that the server runs as, so that the
server can read what is written.

  --data DIR         the server's data folder
  --org ORG          the token sees what this org has; without it, it is an
                     operator's and sees the whole server
  --datastream ID    … and of that only this datastream (an environment is part
                     of the id: shop:dev); may be repeated
  --role ROLE        read (default), or admin, which may also change things
  --expires TIME     from now: 12h, 30d (default) …; at least 1h, at most 366d

create prints the token, which cannot be shown again; list prints one JSON
object a line.
`;

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const LIFETIME_DEFAULT = '30d';
/** A token that is forgotten does not live much longer than a year. */
export const LIFETIME_MS_MAX = 366 * DAY_MS;

export const adminToken: Command = { help, run };

async function run(args: string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      org: { type: 'string' },
      datastream: { type: 'string', multiple: true },
      role: { type: 'string' },
      expires: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  return await act(values, positionals, io);
}

interface Values {
  readonly data?: string;
  readonly org?: string;
  readonly datastream?: readonly string[];
  readonly role?: string;
  readonly expires?: string;
}

async function act(values: Values, [action, id, ...rest]: readonly string[], io: Io): Promise<number> {
  const { data } = values;
  if (data === undefined) throw new UsageError('--data is missing.');
  if (rest.length > 0) throw new UsageError(`'${rest[0]}' is one argument too many.`);
  if (action !== 'revoke' && id !== undefined) throw new UsageError(`'${id}' is one argument too many.`);
  if (action === 'create') return await create(data, values, io);
  if (action === 'list') return await list(data, values, io);
  if (action === 'revoke') return await revoke(data, values, id, io);
  throw new UsageError(
    action === undefined
      ? 'Say create, list or revoke.'
      : `There is no '${action}' here.${guess(action, ['create', 'list', 'revoke'])}`,
  );
}

async function create(data: string, values: Values, io: Io): Promise<number> {
  const { org: orgId = null, datastream: datastreams = null, role = 'read', expires = LIFETIME_DEFAULT } = values;
  if (role !== 'read' && role !== 'admin') throw new UsageError(`--role is '${role}'; it takes read or admin.`);
  if (datastreams !== null && orgId === null)
    throw new UsageError('--datastream needs --org: datastreams belong to one.');
  const lifetimeMs = lifetimeOf(expires);
  const { token, text } = await (await tokensOf(data)).create({ orgId, role, datastreams }, lifetimeMs, who());
  const of =
    orgId === null ? 'the whole server' : `${orgId}${datastreams === null ? '' : `, ${datastreams.join(', ')}`}`;
  const until = new Date(token.expiresAtMs).toISOString();
  io.stderr.write(`Token ${token.id} for ${of} (${role}), until ${until}. It is not shown again:\n`);
  io.stdout.write(`${text}\n`);
  return 0;
}

async function list(data: string, values: Values, io: Io): Promise<number> {
  onlyData(values);
  for (const token of await (await tokensOf(data)).list()) {
    const { id, orgId: org, role, datastreams, createdAtMs, expiresAtMs } = token;
    const createdAt = new Date(createdAtMs).toISOString();
    const expiresAt = new Date(expiresAtMs).toISOString();
    const isExpired = expiresAtMs <= Date.now();
    io.stdout.write(`${JSON.stringify({ id, org, role, datastreams, createdAt, expiresAt, isExpired })}\n`);
  }
  return 0;
}

async function revoke(data: string, values: Values, id: string | undefined, io: Io): Promise<number> {
  onlyData(values);
  if (id === undefined) throw new UsageError('Say which: revoke ID, as list shows it.');
  const revoked = await (await tokensOf(data)).revoke(id, who());
  if (revoked === null) {
    io.stderr.write(`weir admin-token: There is no token '${id}' in ${data}. See 'weir admin-token list'.\n`);
    return 1;
  }
  io.stdout.write(`Token ${id} holds no longer.\n`);
  return 0;
}

function onlyData({ data: _data, ...others }: Values): void {
  const [name] = Object.keys(others);
  if (name !== undefined) throw new UsageError(`--${name} belongs to create.`);
}

async function tokensOf(data: string): ReturnType<typeof adminTokens> {
  if (!existsSync(data)) {
    throw new Error(`There is no folder '${data}'. Give the --data folder of a server that was started once.`);
  }
  return await adminTokens(data);
}

/** For the audit log: a command has a user of the machine, and no name. */
function who(): { kind: string; uid: number | null } {
  return { kind: 'command', uid: process.getuid?.() ?? null };
}

function lifetimeOf(text: string): number {
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? [];
  const lifetimeMs = Number(count) * (unit === 'd' ? DAY_MS : HOUR_MS);
  if (!(lifetimeMs >= HOUR_MS && lifetimeMs <= LIFETIME_MS_MAX)) {
    throw new UsageError(`--expires is '${text}'; it takes 1h to 366d, in hours or days, such as 12h or 30d.`);
  }
  return lifetimeMs;
}
