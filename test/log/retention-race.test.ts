import { beforeEach, expect, test } from 'vitest';
import {
  appendEach,
  firstBatch,
  type OpenedLog,
  openLog,
  readAll,
  recordOf,
  segmentsOf,
  told,
  turn,
} from './open-log.ts';

/**
 * A segment without records may be removed by two at once: by the writer, which has begun the next one at the same offset,
 * and by retention. Neither may take more out of the list of segments than what it removed.
 */

let opened: OpenedLog;
let old: string;
let empty: string;

/** A process was killed between the making of its second segment and the first batch in it. */
beforeEach(async () => {
  const { log, fs } = await openLog(undefined, { segmentBytes: 300 });
  await appendEach(log, 0, 1, 100);
  fs.before = ({ what, path, position }) =>
    what === 'write' && path.endsWith('.segment') && position > 0 ? new Promise(() => {}) : undefined;
  log.append(recordOf(1, { bytes: 100 })).catch(expect.unreachable);
  while (segmentsOf(fs).length === 1) await turn();
  const left = fs.killed();
  [old, empty] = segmentsOf(left) as [string, string];
  opened = await openLog(left, { segmentBytes: 300, retention: { maxAgeMs: null, maxBytes: 1 } });
});

async function expectOnlyTheFirstIsGone({ log, missing }: OpenedLog): Promise<void> {
  expect(told(await readAll(log))).toBe('1:again');
  expect(told((await firstBatch(log, 'sink')).stored)).toBe('1:again');
  expect(missing, 'what the consumer, which had read nothing, was told').toEqual([
    { why: 'dropped', fromOffset: 0, toOffset: 1 },
  ]);
}

const AGAIN = { ...recordOf(1), requestId: 'again' };

test('retention removes it while the writer is about to', async () => {
  const { log, fs } = opened;
  const removal = fs.hold(({ what, path }) => what === 'unlink' && path === empty);
  const appended = log.append(AGAIN);
  await removal.reached;
  expect(await log.retain()).toBe(2);
  removal.release();
  await appended;
  await expectOnlyTheFirstIsGone(opened);
});

test('the writer removes it while retention has chosen it', async () => {
  const { log, fs } = opened;
  const removal = fs.hold(({ what, path }) => what === 'unlink' && path === empty);
  const appended = log.append(AGAIN);
  await removal.reached;
  const look = fs.hold(({ what, path }) => what === 'open' && path === old);
  const retained = log.retain();
  await look.reached;
  removal.release();
  await appended;
  look.release();
  await retained;
  await expectOnlyTheFirstIsGone(opened);
});

test('the list is whole for what is dropped later', async () => {
  const { log, fs } = opened;
  const removal = fs.hold(({ what, path }) => what === 'unlink' && path === empty);
  const appended = log.append(AGAIN);
  await removal.reached;
  await log.retain();
  removal.release();
  await appended;
  await appendEach(log, 2, 5, 100);
  await log.retain();
  expect(told(await readAll(log))).toBe('4:r4');
  expect(segmentsOf(fs)).toHaveLength(1);
  await log.close();
});
