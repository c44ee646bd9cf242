import { once } from 'node:events';
import { guess } from '../model/did-you-mean.ts';
import { eventLine } from '../model/event-line.ts';
import { readLog } from '../server.ts';
import { type Command, type Io, readArgs, UsageError } from './usage.ts';

const help = `Usage: weir events --data DIR [--datastream ID] [--follow]

Prints the event log, oldest first, one JSON object a line. Works whether the
server runs or not.

  --data DIR         the server's data folder
  --datastream ID    only events of this datastream (an environment is part of
                     the id: shop:dev)
  --follow           go on with new events as they become durable; stop with
                     Ctrl-C
`;

export const events: Command = { help, run };

async function run(args: string[], io: Io): Promise<number> {
  const { values } = readArgs({
    args,
    options: {
      data: { type: 'string' },
      datastream: { type: 'string' },
      follow: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    io.stdout.write(help);
    return 0;
  }
  if (values.data === undefined) throw new UsageError('--data is missing.');
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  // The reader of a pipe may leave early (`weir events | head`): that ends the command, without an error.
  io.stdout.on('error', onSignal);
  let damaged = false;
  const report = (message: string): void => {
    damaged = true;
    io.stderr.write(`weir events: ${message}\n`);
  };
  const { datastream } = values;
  const others = new Set<string>();
  let isFound = datastream === undefined;
  const isFollowing = values.follow === true;
  let isSaid = false;
  const sayIfNone = (): void => {
    if (isFound || isSaid || stop.signal.aborted) return;
    isSaid = true;
    const none = `The log holds no event of the datastream '${datastream}'${isFollowing ? ' yet' : ''}.`;
    io.stderr.write(`weir events: ${none}${guess(datastream!, [...others])}\n`);
  };
  try {
    for await (const stored of readLog(values.data, isFollowing, stop.signal, report, 'start', sayIfNone)) {
      const { datastreamId, events: all } = stored.record;
      if (datastream !== undefined && datastreamId !== datastream) {
        if (all.length > 0) others.add(datastreamId);
        continue;
      }
      isFound ||= all.length > 0;
      for (const event of all) {
        if (!io.stdout.write(`${JSON.stringify(eventLine(stored, event))}\n`))
          await once(io.stdout, 'drain', { signal: stop.signal });
      }
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
  }
  sayIfNone();
  return damaged ? 1 : 0;
}
