import { setFlagsFromString } from 'node:v8';
import { type Running, startServer } from '../server.ts';
import { type Command, type Io, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir serve --workspace DIR --data DIR [options]

  --workspace DIR     the folder with weir.yaml and datastreams/
  --data DIR          where events and state are kept; made if it is not there
  --host H            address to listen on (default 127.0.0.1)
  --edge-port N       for browsers and apps (default 8080)
  --server-port N     for servers, authenticated (default 8081)
  --admin-port N      health and administration, loopback only by default
                      (default 9090)
  --tls-port N        the edge listener over TLS, with --tls-cert FILE and
                      --tls-key FILE (PEM)

A port of 0 picks a free one. When ready, one line of JSON with the addresses is
printed.
`;

export const serve: Command = { help, run };

async function run(args: string[], io: Io): Promise<number> {
  const { values } = readArgs({
    args,
    options: {
      workspace: { type: 'string' },
      data: { type: 'string' },
      host: { type: 'string' },
      'edge-port': { type: 'string' },
      'server-port': { type: 'string' },
      'admin-port': { type: 'string' },
      'tls-port': { type: 'string' },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  if (values.workspace === undefined) throw new UsageError('--workspace is missing.');
  if (values.data === undefined) throw new UsageError('--data is missing.');
  // V8 watches of which places in the code the objects survive, and makes theirs among the old ones from then on. Here all that
  // a request is made of survives, as long as it waits for the disk, and is garbage right behind: half the time it filled the old.
  setFlagsFromString('--no-allocation-site-pretenuring');
  const running = await startServer({
    workspace: values.workspace,
    data: values.data,
    listeners: {
      host: values.host,
      edgePort: port('edge-port', values['edge-port']),
      serverPort: port('server-port', values['server-port']),
      adminPort: port('admin-port', values['admin-port']),
      tlsPort: port('tls-port', values['tls-port']),
      tlsCert: values['tls-cert'],
      tlsKey: values['tls-key'],
    },
  });
  // Signals first: who reads the ready line may send one at once.
  const stopped = untilStopped(running);
  io.stdout.write(
    io.stdout.isTTY === true ? banner(running, values.data) : `${JSON.stringify({ ready: true, ...running.urls })}\n`,
  );
  return await stopped;
}

function port(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number > 65535)
    throw new UsageError(`--${name} is '${text}'; a port is a number from 0 to 65535.`);
  return number;
}

/** SIGTERM or SIGINT drains and stops; SIGHUP reads the workspace again. A log that failed stops the process: exit code 1. */
async function untilStopped(running: Running): Promise<number> {
  const onHangup = (): void => void running.reload({ kind: 'signal', name: 'SIGHUP' });
  process.on('SIGHUP', onHangup);
  const signalled = new Promise<'signal'>((resolve) => {
    process.once('SIGTERM', () => resolve('signal'));
    process.once('SIGINT', () => resolve('signal'));
  });
  const why = await Promise.race([signalled, running.failed]);
  process.removeListener('SIGHUP', onHangup);
  if (why === 'signal') {
    await running.stop();
    return 0;
  }
  // The disk cannot be trusted any more: nothing is flushed, nothing is waited for (promise: gone within a second).
  setTimeout(() => process.exit(1), FAILED_EXIT_MS);
  return 1;
}
/** Time for the refusals that are on their way to reach their clients. */
const FAILED_EXIT_MS = 500;

function banner(running: Running, data: string): string {
  const { edge, server, admin, edgeTls } = running.urls;
  return [
    '',
    '  Weir is ready.',
    '',
    `  Edge     ${edge}   send events here; pages of the workspace's site, if it has one`,
    ...(edgeTls === undefined ? [] : [`  Edge TLS ${edgeTls}`]),
    `  Server   ${server}   authenticated callers`,
    `  Admin    ${admin}/health`,
    '',
    `  See what arrives:  npm run -s weir -- events --data ${data} --follow`,
    '  Stop with Ctrl-C.',
    '',
    '',
  ].join('\n');
}
