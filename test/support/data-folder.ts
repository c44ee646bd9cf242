import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpointAt } from '../../src/components.ts';
import { FileLog } from '../../src/log/file.ts';
import { systemHost } from '../../src/log/host.ts';
import { nodeFs } from '../../src/log/node-fs.ts';
import type { DecisionDefinitions } from '../../src/model/decision-definitions.ts';
import type { LogRecord } from '../../src/model/record.ts';

/** A data folder as a server leaves it, with a log of records that a test made up. */

const LOG = {
  ...{ fs: nodeFs, partition: 0, segmentBytes: 64 * 1024 * 1024, queueBytesMax: 256 * 1024 * 1024 },
  ...{ queueAgeMsMax: 60_000, lowWaterBytes: 0, reservedBytes: 0, preallocateBytes: 0 },
  retention: { maxAgeMs: null, maxBytes: null },
};
/** Appended at once: bounds what waits. */
const BATCH_RECORDS = 2_000;

/** `nowMs`: when its segments are begun. */
export async function writeLog(data: string, records: Iterable<LogRecord>, nowMs = Date.now()): Promise<void> {
  mkdirSync(data, { recursive: true });
  const problems: string[] = [];
  const log = await FileLog.open({
    ...LOG,
    directory: join(data, 'log'),
    host: { ...systemHost, nowMs: () => nowMs },
    parseBody: (path, body) => endpointAt(path).parse(path, body),
    onSynced: () => undefined,
    mayDropBefore: () => 0,
    onFatal: (error) => problems.push(error.message),
    report: (message) => problems.push(message),
  });
  let batch: Promise<unknown>[] = [];
  for (const record of records) {
    batch.push(log.append(record));
    if (batch.length < BATCH_RECORDS) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
  await log.close();
  if (problems.length > 0) throw new Error(`The log could not be written: ${problems.join(' ')}`);
}

export function keepDefinitions(data: string, ...all: readonly DecisionDefinitions[]): void {
  mkdirSync(join(data, 'decisions'), { recursive: true });
  for (const one of all) writeFileSync(join(data, 'decisions', `${one.hash}.json`), JSON.stringify(one));
}
