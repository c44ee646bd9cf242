import type { Missing } from '../../src/log/cursor.ts';
import { openLogReader } from '../../src/log/reader.ts';
import { decodeFrame, type Frame, parseSegmentName, SEGMENT_HEADER_BYTES } from '../../src/log/segment.ts';
import type { LogRecord, Stored } from '../../src/model/record.ts';
import { Random } from '../sim/random.ts';
import { MemoryFs } from './memory-fs.ts';
import { FOLDER, firstBatch, openLog, parseBody, readAll, recordOf, segmentsOf, TestHost } from './open-log.ts';

/** What a log of 64 KB, of which everything was acknowledged, has to do when its bytes are not what was written. */

export interface FrameAt {
  readonly path: string;
  readonly frame: Frame;
}

/**
 * What a start knows of the log's end. `newest`: the process was killed, the mark is that of the last batch. `old`: power
 * was cut, the mark is of an earlier batch and boot. `none`: it was lost.
 */
export type Mark = 'newest' | 'old' | 'none';

export interface WholeLog {
  readonly records: readonly LogRecord[];
  readonly files: readonly (readonly [string, Buffer])[];
  readonly frames: readonly FrameAt[];
  /** First offset of the last batch, which nothing but the newest mark proves. */
  readonly lastBatch: number;
  /** The mark's file and the offset of the batch behind it, for each that a start may find. */
  readonly marks: Readonly<Record<Mark, { readonly content: Buffer | null; readonly offset: number }>>;
}

export interface Damage {
  /** For the message of a failure. */
  readonly what: string;
  readonly mark: Mark;
  /** Does the damage. */
  apply(fs: MemoryFs): void;
  /** Records whose bytes, or the bytes they are found by, are not what was written: these may be missing, and no others. */
  readonly touched: ReadonlySet<number>;
  /** From here on a start may call records damaged that are there: what stands before the place it begins at has moved. */
  readonly doubtedFrom: number;
}

const SEGMENT_BYTES = 27 * 1024;
const LOG_BYTES = 64 * 1024;
const SEED = 20_261_123;
export const MARK = `${FOLDER}/end`;
export const CONSUMER = `${FOLDER}/consumers/sink.json`;
const OLD_MARK_PART = 0.75;

/** Three segments, batches of one to five records, bodies of none to 3000 bytes; a consumer in the midst of it. */
export async function makeLog(): Promise<WholeLog> {
  const random = new Random(SEED);
  const { log, fs } = await openLog(undefined, { segmentBytes: SEGMENT_BYTES });
  const records: LogRecord[] = [];
  const bytes = (): number => segmentsOf(fs).reduce((sum, path) => sum + fs.content(path).length, 0);
  let old: { content: Buffer; offset: number } | null = null;
  let lastBatch = 0;
  while (bytes() < LOG_BYTES) {
    lastBatch = records.length;
    const batch: LogRecord[] = [];
    for (let i = random.between(1, 5); i > 0; i--) {
      batch.push(
        recordOf(lastBatch + batch.length, { bytes: random.oneIn(8) ? 0 : random.pick([100, 500, 1500, 3000]) }),
      );
    }
    records.push(...batch);
    await Promise.all(batch.map((record) => log.append(record)));
    if (old === null && bytes() > LOG_BYTES * OLD_MARK_PART)
      old = { content: Buffer.from(fs.content(MARK)), offset: records.length };
  }
  await (await firstBatch(log, 'sink')).commit();
  await log.seek('sink', { partition: 0, offset: 12 });
  const newest = { content: Buffer.from(fs.content(MARK)), offset: records.length };
  const files = fs.contents.filter(([path]) => path !== MARK);
  return {
    records,
    files,
    frames: framesIn(files),
    lastBatch,
    marks: { newest, old: old!, none: { content: null, offset: 0 } },
  };
}

function framesIn(files: WholeLog['files']): FrameAt[] {
  const frames: FrameAt[] = [];
  for (const [path, bytes] of files) {
    if (!path.endsWith('.segment')) continue;
    const { epoch } = parseSegmentName(path.slice(FOLDER.length + 1))!;
    for (let at = SEGMENT_HEADER_BYTES; at < bytes.length; ) {
      const frame = decodeFrame(bytes, at, 0, epoch)!;
      frames.push({ path, frame });
      at = frame.end;
    }
  }
  return frames;
}

/** Throws, with all there is to say, where the log does with this damage what it must not. */
export async function judge(whole: WholeLog, damage: Damage): Promise<void> {
  const fs = new MemoryFs(whole.files);
  const mark = whole.marks[damage.mark];
  if (mark.content !== null) fs.put(MARK, mark.content);
  damage.apply(fs);
  const problems = [...(await judgeOutside(whole, damage, fs)), ...(await judgeInside(whole, damage, fs))];
  if (problems.length > 0) throw new Error(`${damage.what}, mark ${damage.mark}:\n  ${problems.join('\n  ')}`);
}

/** A reader in another process, while no server runs. */
async function judgeOutside(whole: WholeLog, damage: Damage, fs: MemoryFs): Promise<string[]> {
  const host = new TestHost();
  if (damage.mark === 'old') host.boot = 'boot 2';
  const missing: Missing[] = [];
  const report = (_message: string, what?: Missing): void => void missing.push(...(what === undefined ? [] : [what]));
  const reader = await openLogReader({ fs, directory: FOLDER, partition: 0, parseBody, report, host });
  const shown = await readAll(reader);
  // Without a mark it shows what is proven.
  const isSoundMark = damage.mark !== 'none' && fs.content(MARK).equals(whole.marks[damage.mark].content!);
  return compare(whole, damage, shown, missing, isSoundMark ? silentFrom(whole, damage) : whole.lastBatch).map(
    (problem) => `a reader outside: ${problem}`,
  );
}

/** The next start, its readers, and what it writes. */
async function judgeInside(whole: WholeLog, damage: Damage, fs: MemoryFs): Promise<string[]> {
  const { log, missing, messages } = await openLog(fs, { segmentBytes: SEGMENT_BYTES });
  const saidAtStart = [...missing];
  const shown = await readAll(log);
  const problems = [
    ...judgeStart(whole, damage, saidAtStart, shown),
    ...compare(whole, damage, shown, missing, silentFrom(whole, damage)),
  ];
  const end = log.nextOffset;
  const { offset } = await log.append(recordOf(9999));
  if (offset !== end) problems.push(`the log ends at ${end}, and the next record stands at ${offset}`);
  const [added] = await readAll(log, { partition: 0, offset });
  if (added?.record.requestId !== 'r9999') problems.push('what was appended after it is not there');
  const isConsumerSound = fs.content(CONSUMER).equals(whole.files.find(([path]) => path === CONSUMER)![1]);
  if (isConsumerSound === messages.some((message) => message.includes(CONSUMER)))
    problems.push(`a consumer's place was ${isConsumerSound ? 'said to be' : 'not said to be'} damaged`);
  await log.close();
  return problems;
}

/** A start looks at what stands behind the mark in the last segment, and says by itself what is missing of it. */
function judgeStart(
  { frames, lastBatch, marks }: WholeLog,
  { mark, touched }: Damage,
  said: readonly Missing[],
  shown: readonly Stored[],
): string[] {
  const isProven = [...touched].every((offset) => offset < lastBatch);
  const lastSegment = frames.at(-1)!.path;
  const mustSay = (offset: number): boolean =>
    isProven && mark !== 'newest' && offset >= marks[mark].offset && frames[offset]!.path === lastSegment;
  return [...touched]
    .filter(mustSay)
    .filter((offset) => !shown.some(({ position }) => position.offset === offset))
    .filter((offset) => !said.some(({ fromOffset, toOffset }) => offset >= fromOffset && offset < toOffset))
    .map((offset) => `the start did not say that ${offset} is missing`);
}

/** From here on records may be missing without a word: the last batch, where it is damaged and nothing proves it. */
function silentFrom({ lastBatch, records }: WholeLog, { mark, touched }: Damage): number {
  if (mark === 'newest') return records.length;
  return Math.min(records.length, ...[...touched].filter((offset) => offset >= lastBatch));
}

function compare(
  { records }: WholeLog,
  { touched, doubtedFrom }: Damage,
  shown: readonly Stored[],
  missing: readonly Missing[],
  silentFromOffset: number,
): string[] {
  const problems: string[] = [];
  const there = new Set<number>();
  let last = -1;
  for (const { position, record } of shown) {
    const { offset } = position;
    if (offset <= last) problems.push(`${offset} comes after ${last}`);
    last = offset;
    there.add(offset);
    if (!isSame(record, records[offset])) problems.push(`${offset} is shown, and is not what was written`);
  }
  const said = new Set<number>();
  for (const { why, fromOffset, toOffset } of missing) {
    if (why !== 'damaged') problems.push(`${fromOffset} to ${toOffset} are said to be dropped`);
    for (let offset = fromOffset; offset < toOffset; offset++) said.add(offset);
  }
  for (let offset = 0; offset < records.length; offset++) {
    const isExcused = touched.has(offset) || offset >= silentFromOffset;
    if (said.has(offset) && !isExcused && offset < doubtedFrom)
      problems.push(`${offset} is said to be damaged, and is not`);
    if (there.has(offset)) continue;
    if (!isExcused) problems.push(`${offset} is missing, and nothing happened to it`);
    else if (!said.has(offset) && offset < silentFromOffset) problems.push(`${offset} is missing without a word`);
  }
  return problems;
}

function isSame(record: LogRecord, written: LogRecord | undefined): boolean {
  if (written === undefined || record.requestId !== written.requestId || record.atMs !== written.atMs) return false;
  if (record.raw === null || written.raw === null) return record.raw === written.raw;
  return Buffer.compare(record.raw, written.raw) === 0;
}
