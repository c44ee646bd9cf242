import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Good, loadWorkspace } from '../config/workspace.ts';
import { LOCAL_CLIENT, LOCAL_ISSUER } from '../model/auth.ts';
import type { Datastream } from '../model/datastream.ts';
import { localToken } from '../server.ts';
import { type Command, type Io, isWebAddress, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir token --datastream ID [--workspace DIR --data DIR] [--expires 1h]
                  [--curl [--url URL]]

Mints an access token for a datastream's org, for development: the server takes
it where weir.yaml has 'auth: { local: true }'. Signed with a key pair in the
data folder, which is made when it is first needed. Run it as the user that the
server runs as.

  --datastream ID    what to send to (an environment is part of the id:
                     shop:dev)
  --workspace DIR    the server's workspace (default: the demo's)
  --data DIR         the server's data folder (default: the demo's)
  --expires TIME     from now: 15m, 1h (default) …; at most 24h
  --curl             print a whole call to the server listener instead of the
                     headers
  --url URL          … at this address (default: as weir.yaml has it)

Prints the three headers, which curl takes from a file as well:
curl -H @headers.txt
`;

/** What `npm start` serves; paths of the package, as npm runs its scripts there. */
const DEMO_WORKSPACE = fileURLToPath(new URL('../../examples/demo-shop', import.meta.url));
const DEMO_DATA = fileURLToPath(new URL('../../.weir/demo', import.meta.url));
const LIFETIME_DEFAULT = '1h';

export const token: Command = { help, run };

async function run(args: string[], io: Io): Promise<number> {
  const { values } = readArgs({
    args,
    options: {
      datastream: { type: 'string' },
      workspace: { type: 'string' },
      data: { type: 'string' },
      expires: { type: 'string' },
      curl: { type: 'boolean' },
      url: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  const { datastream: id, expires = LIFETIME_DEFAULT, curl = false, url } = values;
  if (id === undefined) throw new UsageError('--datastream is missing.');
  if (url !== undefined && !curl) throw new UsageError('--url belongs to --curl.');
  if (url !== undefined && !isWebAddress(url))
    throw new UsageError(`--url is '${url}'; it takes an address such as http://127.0.0.1:8081.`);
  const lifetimeSeconds = lifetimeOf(expires);
  const { workspace: folder, data } = foldersOf(values.workspace, values.data);
  if (!existsSync(data)) throw new Error(`There is no folder '${data}'. Start the server with it once.`);
  const loaded = await loadWorkspace(folder);
  if (!loaded.ok) throw new Error(`The workspace '${folder}' has errors: see 'weir check --workspace ${folder}'.`);
  const datastream = datastreamIn(loaded, id, folder);
  const jwt = await localToken(data, datastream.orgId, lifetimeSeconds);
  const headers = [
    `Authorization: Bearer ${jwt}`,
    `x-api-key: ${LOCAL_CLIENT}`,
    `x-gw-ims-org-id: ${datastream.orgId}`,
  ];
  io.stdout.write(`${curl ? curlOf(loaded, datastream, headers, url) : headers.join('\n')}\n`);
  return 0;
}

/** The demo's, both or neither: a token of one server is of no use to another. */
function foldersOf(workspace: string | undefined, data: string | undefined): { workspace: string; data: string } {
  if (workspace !== undefined && data !== undefined) return { workspace, data };
  if (workspace !== undefined) throw new UsageError('--data is missing: it goes with --workspace.');
  if (data !== undefined) throw new UsageError('--workspace is missing: it goes with --data.');
  if (!existsSync(DEMO_WORKSPACE)) throw new UsageError('--workspace and --data are missing.');
  return { workspace: DEMO_WORKSPACE, data: DEMO_DATA };
}

function datastreamIn({ workspace }: Good, id: string, folder: string): Datastream {
  const datastream = workspace.datastreams.get(id);
  if (datastream === undefined) {
    const known = [...workspace.datastreams.keys()];
    const shown = known.slice(0, SHOWN_MAX).join(', ');
    throw new Error(
      `There is no datastream '${id}' in ${folder}. It has: ${shown}${known.length > SHOWN_MAX ? ' …' : ''}.`,
    );
  }
  if (workspace.auth.local) return datastream;
  throw new Error(
    `The server would not take a local token: ${folder}/weir.yaml does not say so. For development, add this line to it: auth: { local: true }`,
  );
}
const SHOWN_MAX = 20;

function lifetimeOf(text: string): number {
  const [, count, unit] = /^(\d{1,5})([mh])$/.exec(text) ?? [];
  const seconds = Number(count) * (unit === 'h' ? 3600 : 60);
  if (seconds >= 60 && seconds <= LOCAL_ISSUER.maxAgeSeconds) return seconds;
  throw new UsageError(`--expires is '${text}'; it takes 1m to 24h, in minutes or hours, such as 15m or 8h.`);
}

/** A call that a shell takes as it stands. */
function curlOf({ options }: Good, { id }: Datastream, headers: readonly string[], url: string | undefined): string {
  const { basePath, listeners } = options;
  const base = url?.replace(/\/+$/, '') ?? `http://${addressOf(listeners.host)}:${listeners.serverPort}`;
  const event = {
    xdm: {
      eventType: 'commerce.purchases',
      identityMap: { Email: [{ id: 'ada@example.com', primary: true }] },
    },
  };
  return [
    `curl ${inShell(`${base}/${basePath}/v2/interact?datastreamId=${encodeURIComponent(id)}`)}`,
    ...['Content-Type: application/json', ...headers].map((header) => `-H ${inShell(header)}`),
    `-d ${inShell(JSON.stringify({ event }))}`,
  ].join(' \\\n  ');
}

/** Where a server that listens on every address is reached from this machine. */
function addressOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function inShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
