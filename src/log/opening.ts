import { erasureOf, isErasure } from '../model/erasure.ts';
import type { Fs } from '../model/fs.ts';
import { Consumers } from './consumers.ts';
import { type ReaderOptions, type Report, readRecords, type View } from './cursor.ts';
import { DiskSpace, RESERVED_BYTES } from './disk-space.ts';
import { EndMarkFile } from './end-mark.ts';
import type { FileLogOptions } from './file.ts';
import { Hidden, HiddenDamaged, type HiddenList, NOTHING_HIDDEN, type PendingErasure, readHidden } from './hidden.ts';
import { HiddenFile } from './hidden-file.ts';
import type { LogHost } from './host.ts';
import { listProofs, readWithProofs } from './proofs.ts';
import { type Recovered, recover } from './recovery.ts';

/** What a log finds when it is opened. */

export interface Opened {
  readonly host: LogHost;
  readonly space: DiskSpace;
  readonly endMark: EndMarkFile;
  readonly consumers: Consumers;
  readonly recovered: Recovered;
  readonly nextOffset: number;
  readonly report: Report;
  readonly hidden: HiddenFile;
}

/** A start may need a few bytes on a disk that is full: then the reserve is given up for them. */
export async function prepare(options: FileLogOptions, host: LogHost): Promise<Opened> {
  const { fs, directory, lowWaterBytes, reservedBytes = RESERVED_BYTES } = options;
  const report = onceEach(options.report);
  const space = new DiskSpace({ fs, directory, lowWaterBytes, reservedBytes, report });
  // What refuses a log of a newer version comes before anything is changed in it.
  await listProofs(fs, directory);
  const written = await writtenHidden(fs, directory);
  const found = await space.withReserve(() => recover(fs, directory));
  for (const { segment, startByte, endByte, fromOffset, toOffset } of found.damage) {
    report(
      `Bytes ${startByte} to ${endByte} of ${segment.name} are damaged: ${toOffset - fromOffset} records (offsets ${fromOffset} to ${toOffset - 1}) are lost.`,
      { why: 'damaged', fromOffset, toOffset },
    );
  }
  const consumers = await Consumers.open({ fs, directory, space, report });
  const end = found.end.offset;
  const nextOffset = Math.max(end, consumers.committedMax);
  if (nextOffset > end) {
    // Given out again, these offsets would be taken for delivered.
    report(
      `The log ends at ${end}, but records up to ${nextOffset - 1} were delivered: the last ${nextOffset - end} are lost.`,
      { why: 'damaged', fromOffset: end, toOffset: nextOffset },
    );
  }
  const endMark = await EndMarkFile.open(fs, directory, host.bootId(), space, report);
  const last = found.segments.at(-1);
  await endMark.write(last?.epoch ?? NO_EPOCH, { ...found.end, offset: nextOffset });
  await endMark.sync();
  await fs.syncDirectory(directory);
  await space.look();
  const hidden = await openHidden(options, written, space, found, nextOffset, report, host);
  return { host, space, endMark, consumers, recovered: found, nextOffset, report, hidden };
}

/** Of the mark of a log without segments; an epoch is never this, but for a chance of one in 2^53. */
const NO_EPOCH = 0;

/** Many readers meet the same damage: it is reported by the first. */
function onceEach(report: Report): Report {
  const reported = new Set<string>();
  return (message, missing) => {
    if (missing !== undefined) {
      const range = `${missing.why} ${missing.fromOffset} ${missing.toOffset}`;
      if (reported.has(range)) return;
      if (reported.size < REPORTED_MAX) reported.add(range);
    }
    report(message, missing);
  };
}

/** Ranges of missing records that are remembered as reported. */
const REPORTED_MAX = 1024;

/** As it stands beside the segments, damaged or not. */
async function writtenHidden(fs: Fs, directory: string): Promise<HiddenList | HiddenDamaged | null> {
  return readHidden(fs, directory).catch((error: unknown) => {
    if (error instanceof HiddenDamaged) return error;
    throw error;
  });
}

/** Throws where persons are being erased and cannot be told: then the log is not to be read. */
async function openHidden(
  options: FileLogOptions,
  written: HiddenList | HiddenDamaged | null,
  space: DiskSpace,
  { segments }: Recovered,
  nextOffset: number,
  report: Report,
  host: LogHost,
): Promise<HiddenFile> {
  const { fs, directory, erasureKey = null } = options;
  const nowMs = (): number => host.nowMs();
  let list = written;
  if (list instanceof HiddenDamaged) {
    report(list.message);
    const view = { segments, offset: nextOffset, hidden: new Hidden(NOTHING_HIDDEN, null, nowMs) };
    list = await erasuresIn({ ...options, report }, view, erasureKey?.keyId ?? '', host.nowMs());
  }
  const file = new HiddenFile({ fs, directory, space, key: erasureKey, nowMs }, list ?? NOTHING_HIDDEN);
  file.current.check();
  return file;
}

const NEVER = new AbortController().signal;

/** Every erasure that the log has, carried out or not: once more does no harm. */
async function erasuresIn(
  options: ReaderOptions,
  durable: Awaited<ReturnType<View['current']>>,
  keyId: string,
  nowMs: number,
): Promise<HiddenList> {
  const view: View = { current: () => durable, wait: () => Promise.resolve(false) };
  const erasures: PendingErasure[] = [];
  for await (const { position, record } of readWithProofs(options, view, NEVER)) {
    for (const change of record.changes) {
      if (isErasure(change))
        erasures.push({ ...erasureOf(change), keyId, since: position.offset, offset: position.offset });
    }
  }
  // A time is a generation that no reader has seen.
  return { generation: nowMs, erasures, rules: [] };
}

/**
 * Of erasures that were under way when the process ended: they hold if their records are in the log. One whose record is not
 * there, or is damaged, was never answered: a place is written before that.
 */
export async function placeErasures(hidden: HiddenFile, reading: ReaderOptions, view: View): Promise<void> {
  for (const { id, since, offset } of hidden.current.list.erasures) {
    if (offset !== null) continue;
    const found = await offsetOfErasure(id, since, reading, view);
    if (found === null) await hidden.end([id]);
    else await hidden.place(id, found);
  }
}

async function offsetOfErasure(id: string, since: number, reading: ReaderOptions, view: View): Promise<number | null> {
  const from = { partition: reading.partition, offset: since };
  for await (const { position, record } of readRecords(reading, view, from, false, NEVER)) {
    if (record.changes.some((change) => isErasure(change) && change.key === id)) return position.offset;
  }
  return null;
}
