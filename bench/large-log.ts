import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { endpointAt } from '../src/components.ts';
import { FileLog, type FileLogOptions } from '../src/log/file.ts';
import { nodeFs } from '../src/log/node-fs.ts';
import type { LogRecord, ParseBody } from '../src/model/record.ts';
import { readLog } from '../src/server.ts';
import { startWeir } from './targets.ts';

/** A log of many page views, as a server would have written them. */

/** Older than what retries are known for, so that a start reads little. */
const AGE_MS = 60 * 60 * 1000;
const GIGABYTE = 1e9;
const SEGMENT_BYTES = 128 * 1024 * 1024;
const APPENDS = 512;
const parseBody: ParseBody = (path, body) => endpointAt(path).parse(path, body);

const report = (message: string): never => {
  throw new Error(message);
};

/** Of so many visitors, from what `writeInputs` made. */
export function pageViews(folder: string, visitors: number): readonly Buffer[] {
  const cookies = readFileSync(join(folder, 'cookies'), 'utf8').split('\n').slice(0, visitors);
  const text = readFileSync(join(folder, 'body-known'), 'utf8');
  return cookies.map((cookie) => Buffer.from(text.replace('@COOKIE@', cookie)));
}

/** A data folder in which a server has stored these. */
export async function storePageViews(folder: string, bodies: readonly Buffer[]): Promise<void> {
  const weir = await startWeir(folder);
  try {
    for (const body of bodies) await sendPageView(weir.port, new Agent(), body);
  } finally {
    await weir.stop();
  }
}

export async function sendPageView(port: number, agent: Agent, body: Buffer): Promise<void> {
  const headers = { 'content-type': 'text/plain; charset=UTF-8', 'content-length': body.length };
  const sent = request({ method: 'POST', path: '/ee/v1/interact?configId=bench', port, agent, headers });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  if (answer.statusCode !== 200) throw new Error(`A page view was answered with ${answer.statusCode}.`);
}

/** Appends what the server wrote, over and over, as visits of an hour ago. Returns how many records. */
export async function fillLog(data: string, gigabytes: number): Promise<number> {
  const seen: LogRecord[] = [];
  for await (const { record } of readLog(data, false, new AbortController().signal, report)) {
    const { requestId, orgId, datastreamId, path, ecid, meta, events, raw, changes } = record;
    const atMs = record.atMs - AGE_MS;
    seen.push({ requestId, atMs, orgId, datastreamId, path, ecid, meta, events, raw, changes });
  }
  const log = await openLog(data);
  while (log.writtenBytes < gigabytes * GIGABYTE) {
    await Promise.all(Array.from({ length: APPENDS }, (_, i) => log.append(seen[i % seen.length]!)));
  }
  await log.close();
  return log.nextOffset;
}

/** The log of a data folder that no server has open. */
export function openLog(data: string, more: Partial<FileLogOptions> = {}): Promise<FileLog> {
  return FileLog.open({
    ...{ fs: nodeFs, directory: join(data, 'log'), partition: 0, parseBody, segmentBytes: SEGMENT_BYTES },
    ...{ queueBytesMax: GIGABYTE, queueAgeMsMax: 60_000, lowWaterBytes: 0, mayDropBefore: () => 0 },
    ...{ retention: { maxAgeMs: null, maxBytes: null }, onSynced: () => undefined, report },
    onFatal: ({ message }) => report(message),
    ...more,
  });
}
