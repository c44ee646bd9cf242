import { crc32 } from 'node:zlib';
import { proofsOf, withoutOldProofs } from '../model/expiry.ts';
import type { Fs } from '../model/fs.ts';
import { decodeRecord, type LogRecord, type ParseBody, type Stored } from '../model/record.ts';
import { type Missing, type ReaderOptions, type Report, readRecords, type View } from './cursor.ts';
import type { DiskSpace } from './disk-space.ts';
import type { LogHost } from './host.ts';
import { openIfThere, readdirIfThere, readFile, replaceFile, unlinkIfThere } from './io.ts';
import { framesOf, type Left, payloadOf } from './rewriting.ts';
import { type SegmentRef, UnknownFormat } from './segment.ts';

/**
 * What is kept of segments that retention drops: choices and erasures, which have a retention of their own (decision 8). In
 * `proofs` beside the segments, files of some records each, in the order of the log.
 *
 * "0000000000000042-0000000000000977-1700000000000.proofs": offsets of the first and the last record in it, and when the newest was
 * received. Each record: bytes u32 · crc u32 (of what follows) · offset f64 · the record's bytes, as in a segment; little-endian.
 * A file is written as a whole before its segment goes. After a crash in between the segment is there too, and counts: more of it
 * may be removed until it goes, and what is kept of it then replaces what was kept before. Whoever lays it out otherwise gives it
 * another name: this version does not open a log that has one.
 */
const FOLDER = 'proofs';
const HEADER_BYTES = 16;
/** A file is ended at this size, so that one is written and read at once. */
const FILE_BYTES = 1024 * 1024;
/** Of a segment, looked at before others get their turn: half a millisecond. */
const SLICE_RECORDS = 64;
const NAME = /^(\d{16})-(\d{16})-(\d+)\.proofs$/;

interface ProofsFile {
  readonly name: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly newestMs: number;
}

interface Proof {
  readonly offset: number;
  readonly record: LogRecord;
}

export interface ProofsDeps {
  readonly fs: Fs;
  /** Of the segments. */
  readonly directory: string;
  readonly parseBody: ParseBody;
  readonly host: Pick<LogHost, 'sleep'>;
  readonly space: DiskSpace;
  readonly report: Report;
}

/**
 * Keeps what a segment has of them, in place of what was kept of it before: durable when it resolves. What cannot be read is
 * reported, and lost, unless it was kept before. `checkOpen` throws where it is to break off.
 */
export async function keepProofs(
  deps: ProofsDeps,
  ref: SegmentRef,
  limit: number,
  checkOpen: () => void,
): Promise<void> {
  const file = await openIfThere(deps.fs, `${deps.directory}/${ref.name}`, 'read');
  if (file === null) return;
  try {
    const names = new Set<string>();
    let proofs: Proof[] = [];
    let bytes = 0;
    let expected = ref.firstOffset;
    let missing = 0;
    for await (const { frame } of framesOf(deps, file, ref, limit, { unreadable: 'is-damage', slice: SLICE_RECORDS })) {
      checkOpen();
      missing += reportMissing(deps.report, expected, frame.offset);
      expected = frame.offset + 1;
      const record = proofsOf(decodeRecord(frame.payload, deps.parseBody));
      if (record === null) continue;
      proofs.push({ offset: frame.offset, record });
      bytes += frame.payload.length;
      if (bytes < FILE_BYTES) continue;
      names.add(await write(deps, proofs));
      proofs = [];
      bytes = 0;
    }
    missing += reportMissing(deps.report, expected, limit);
    if (proofs.length > 0) names.add(await write(deps, proofs));
    if (missing > 0) return;
    for (const { name, firstOffset, lastOffset } of await listProofs(deps.fs, deps.directory)) {
      const isOfSegment = firstOffset >= ref.firstOffset && lastOffset < limit;
      if (isOfSegment && !names.has(name)) await remove(deps.fs, deps.directory, name);
    }
  } finally {
    await file.close();
  }
}

/** Returns how many there are. */
function reportMissing(report: Report, fromOffset: number, toOffset: number): number {
  if (fromOffset >= toOffset) return 0;
  report(
    `Records ${fromOffset} to ${toOffset - 1} could not be read when retention dropped them: choices and erasures in them are lost.`,
    { why: 'damaged', fromOffset, toOffset },
  );
  return toOffset - fromOffset;
}

/** Returns the name of the file. */
async function write(deps: ProofsDeps, proofs: readonly Proof[], replaced: string | null = null): Promise<string> {
  const { fs, directory, space } = deps;
  const folder = `${directory}/${FOLDER}`;
  await fs.mkdir(folder);
  const newestMs = Math.max(...proofs.map(({ record }) => record.atMs));
  const name = replaced ?? nameOf(proofs[0]!.offset, proofs.at(-1)!.offset, newestMs);
  await space.withReserve(() => replaceFile(fs, folder, name, Buffer.concat(proofs.map(encode))));
  return name;
}

function nameOf(firstOffset: number, lastOffset: number, newestMs: number): string {
  const [first, last] = [firstOffset, lastOffset].map((offset) => String(offset).padStart(16, '0'));
  return `${first}-${last}-${newestMs}.proofs`;
}

function encode({ offset, record }: Proof): Buffer {
  const payload = payloadOf(record);
  const bytes = Buffer.alloc(HEADER_BYTES + payload.length);
  bytes.writeUInt32LE(payload.length, 0);
  bytes.writeDoubleLE(offset, 8);
  payload.copy(bytes, HEADER_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** Up to the first that is damaged; `isWhole` says whether there is none. */
function decodeAll(bytes: Buffer, parseBody: ParseBody): { readonly proofs: Proof[]; readonly isWhole: boolean } {
  const proofs: Proof[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER_BYTES > bytes.length) return { proofs, isWhole: false };
    const end = at + HEADER_BYTES + bytes.readUInt32LE(at);
    if (end > bytes.length || bytes.readUInt32LE(at + 4) !== crc32(bytes.subarray(at + 8, end)))
      return { proofs, isWhole: false };
    const record = decodeRecord(bytes.subarray(at + HEADER_BYTES, end), parseBody);
    proofs.push({ offset: bytes.readDoubleLE(at + 8), record });
    at = end;
  }
  return { proofs, isWhole: true };
}

/** In the order of the log. Other files are left alone. Throws `UnknownFormat` for one whose name only another version can read. */
export async function listProofs(fs: Fs, directory: string): Promise<ProofsFile[]> {
  const names = (await readdirIfThere(fs, `${directory}/${FOLDER}`)) ?? [];
  return names.sort().flatMap((name): ProofsFile[] => {
    if (!name.endsWith('.proofs')) return [];
    const parts = NAME.exec(name);
    if (parts === null) throw new UnknownFormat(`The log holds the file ${FOLDER}/${name}`);
    const [firstOffset, lastOffset, newestMs] = parts.slice(1).map(Number) as [number, number, number];
    return [{ name, firstOffset, lastOffset, newestMs }];
  });
}

/** What a crash left of writing: it may hold what is to be removed by now. Durable when it resolves, with what was done in the folder before. */
export async function removeUnfinishedProofs(fs: Fs, directory: string): Promise<void> {
  const folder = `${directory}/${FOLDER}`;
  const names = await readdirIfThere(fs, folder);
  // The folder is made with its first file.
  if (names === null) return;
  for (const name of names) if (name.endsWith('.proofs.new')) await unlinkIfThere(fs, `${folder}/${name}`);
  await fs.syncDirectory(folder);
}

/** All records from the start of what is left, before it the choices and erasures of what retention has dropped, or drops while this is read. */
export async function* readWithProofs(options: ReaderOptions, view: View, signal: AbortSignal): AsyncGenerator<Stored> {
  const { partition } = options;
  const { segments, offset: end } = await view.current();
  const first = segments[0]?.firstOffset ?? end;
  yield* readProofs(options, view, 0, first, signal);
  const dropped: Missing[] = [];
  const report: Report = (message, missing) => {
    if (missing?.why === 'dropped') dropped.push(missing);
    else options.report(message, missing);
  };
  for await (const stored of readRecords({ ...options, report }, view, { partition, offset: first }, false, signal)) {
    for (const { fromOffset, toOffset } of dropped.splice(0))
      yield* readProofs(options, view, fromOffset, toOffset, signal);
    if (signal.aborted) return;
    yield stored;
  }
  for (const { fromOffset, toOffset } of dropped) yield* readProofs(options, view, fromOffset, toOffset, signal);
}

/** Those of records `from` to `to` (exclusive). */
async function* readProofs(
  { fs, directory, partition, parseBody, report }: ReaderOptions,
  view: View,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<Stored> {
  let next = from;
  for (const { name, firstOffset, lastOffset } of await listProofs(fs, directory)) {
    if (lastOffset < next || firstOffset >= to) continue;
    const bytes = await readFile(fs, `${directory}/${FOLDER}/${name}`);
    // Its time was over.
    if (bytes === null) continue;
    const { proofs, isWhole } = decodeAll(bytes, parseBody);
    const { hidden } = await view.current();
    for (const { offset, record } of proofs) {
      if (offset < next || offset >= to) continue;
      if (signal.aborted) return;
      next = offset + 1;
      yield { position: { partition, offset }, record: hidden.shown(offset, record) };
    }
    if (isWhole) continue;
    report(`${directory}/${FOLDER}/${name} is damaged: choices and erasures up to record ${lastOffset} are missing.`, {
      ...{ why: 'damaged', fromOffset: Math.max(next, firstOffset), toOffset: lastOffset + 1 },
    });
  }
}

/** Writes anew what has less in it, and removes what is damaged, for nobody knows what it held. Returns how many records have less. */
export async function rewriteProofs(deps: ProofsDeps, left: Left): Promise<number> {
  const { fs, directory } = deps;
  let records = 0;
  for (const { name } of await listProofs(fs, directory)) records += await rewrite(deps, name, left);
  return records;
}

async function rewrite(deps: ProofsDeps, name: string, left: Left): Promise<number> {
  const { fs, directory, parseBody } = deps;
  const bytes = await readFile(fs, `${directory}/${FOLDER}/${name}`);
  if (bytes === null) return 0;
  const { proofs, isWhole } = decodeAll(bytes, parseBody);
  const shown = proofs.map(({ offset, record }) => ({ offset, record: left(offset, record) }));
  const less = shown.filter(({ record }, index) => record !== proofs[index]!.record).length;
  if (isWhole && less === 0) return 0;
  const kept = shown.filter(({ record }) => record.changes.length > 0);
  if (kept.length > 0) await write(deps, kept, name);
  else await remove(fs, directory, name);
  return less;
}

/**
 * Removes files in which all are older than `maxAgeMs`. From `keptFrom` on, where segments are still there, what a crash has left
 * loses its old ones one by one, as these do.
 */
export async function dropProofs(deps: ProofsDeps, maxAgeMs: number, nowMs: number, keptFrom: number): Promise<void> {
  const { fs, directory } = deps;
  for (const { name, firstOffset, newestMs } of await listProofs(fs, directory)) {
    if (newestMs < nowMs - maxAgeMs) await remove(fs, directory, name);
    else if (firstOffset >= keptFrom)
      await rewrite(deps, name, (_offset, record) => withoutOldProofs(record, maxAgeMs, nowMs));
  }
}

async function remove(fs: Fs, directory: string, name: string): Promise<void> {
  await unlinkIfThere(fs, `${directory}/${FOLDER}/${name}`);
  await fs.syncDirectory(`${directory}/${FOLDER}`);
}
