import { SEGMENT_HEADER_BYTES } from '../../src/log/segment.ts';
import type { Random } from '../sim/random.ts';
import type { Damage, FrameAt, Mark, WholeLog } from './damaged-log.ts';
import { CONSUMER, MARK } from './damaged-log.ts';
import type { MemoryFs } from './memory-fs.ts';

/** Ways in which the bytes of a log become others. */

export type ByteKind = 'flip' | 'zero' | 'drop';
export const BYTE_KINDS: readonly ByteKind[] = ['flip', 'zero', 'drop'];
export const MARKS: readonly Mark[] = ['newest', 'old', 'none'];

/** Every byte of a log: of its segments, of the mark of the end, and of a consumer's place. */
export function bytesOf(whole: WholeLog, mark: Mark): { readonly path: string; readonly at: number }[] {
  const files = whole.files.filter(([path]) => path.endsWith('.segment') || path === CONSUMER);
  const { content } = whole.marks[mark];
  if (content !== null) files.push([MARK, content]);
  return files.flatMap(([path, bytes]) => Array.from(bytes, (_, at) => ({ path, at })));
}

/** One byte. Null where it would stay what it is. */
export function byteDamage(whole: WholeLog, path: string, at: number, kind: ByteKind, mark: Mark): Damage | null {
  const old = path === MARK ? whole.marks[mark].content! : whole.files.find((file) => file[0] === path)![1];
  if (kind === 'zero' && old[at] === 0) return null;
  return {
    what: `${kind} byte ${at} of ${path}`,
    mark,
    apply: (fs) => fs.put(path, changed(old, at, kind)),
    touched: touchedByByte(whole, path, at, kind),
    doubtedFrom: kind === 'drop' ? doubtedFrom(whole, path, at, mark) : Number.POSITIVE_INFINITY,
  };
}

function changed(old: Buffer, at: number, kind: ByteKind): Buffer {
  if (kind === 'drop') return Buffer.concat([old.subarray(0, at), old.subarray(at + 1)]);
  const bytes = Buffer.from(old);
  bytes[at] = kind === 'zero' ? 0 : bytes[at]! ^ (1 << (at % 8));
  return bytes;
}

function touchedByByte({ frames }: WholeLog, path: string, at: number, kind: ByteKind): Set<number> {
  const touched = new Set<number>();
  const here = frames.filter((one) => one.path === path);
  for (const { frame } of here) if (at >= frame.start && at < frame.end) touched.add(frame.offset);
  // The first frame is looked for behind the header, and stands a byte before that now.
  if (kind === 'drop' && at < SEGMENT_HEADER_BYTES && here[0] !== undefined) touched.add(here[0].frame.offset);
  return touched;
}

/** What stands behind `at` has moved: from the mark on, if that is behind it in the same file, nothing is where it says. */
function doubtedFrom({ frames, marks }: WholeLog, path: string, at: number, mark: Mark): number {
  const { offset } = marks[mark];
  const behind = frames.find(({ frame }) => frame.offset === offset);
  return behind?.path === path && at < behind.frame.start ? offset : Number.POSITIVE_INFINITY;
}

/** Frames of one segment in another order, or more than once. */
export function frameDamage(whole: WholeLog, random: Random, mark: Mark): Damage {
  const { path } = random.pick(whole.frames);
  const frames = whole.frames.filter((one) => one.path === path);
  const [from, to] = [random.below(frames.length), random.below(frames.length)];
  const kind = random.pick(FRAME_KINDS);
  const changedFrames = kind.change(frames, from, to);
  const [one, other] = [frames[from]!.frame, frames[to]!.frame];
  return {
    what: `${kind.name} records ${one.offset} and ${other.offset}`,
    mark,
    apply: (fs) => fs.put(path, joined(fs, path, changedFrames)),
    touched: new Set(kind.touched(one.offset, other.offset, whole.lastBatch)),
    doubtedFrom: doubtedFrom(whole, path, Math.min(one.start, other.start), mark),
  };
}

interface FrameKind {
  readonly name: string;
  change(frames: readonly FrameAt[], from: number, to: number): FrameAt[];
  touched(from: number, to: number, lastBatch: number): number[];
}
const FRAME_KINDS: readonly FrameKind[] = [
  {
    name: 'swap',
    change: (frames, from, to) => frames.map((one, i) => (i === from ? frames[to]! : i === to ? frames[from]! : one)),
    touched: (from, to) => {
      const last = Math.max(from, to);
      // Of two neighbours the first is found where the second was. That one is missing then, and had no room before the next.
      return Math.abs(from - to) === 1 ? [from, to, last + 1] : [from, to];
    },
  },
  {
    name: 'overwrite',
    change: (frames, from, to) => frames.map((one, i) => (i === to ? frames[from]! : one)),
    touched: (_from, to) => [to],
  },
  {
    name: 'insert',
    change: (frames, from, to) => frames.flatMap((one, i) => (i === to ? [one, frames[from]!] : [one])),
    // Nothing proves what stands behind a break in the last batch.
    touched: (from, to, lastBatch) => {
      // The next one, put before itself, stands where it is to be.
      const broken = from === to + 1 ? to + 2 : to + 1;
      return broken > lastBatch ? [broken] : [];
    },
  },
];

function joined(fs: MemoryFs, path: string, frames: readonly FrameAt[]): Buffer {
  const bytes = fs.content(path);
  const pieces = frames.map(({ frame: { start, end } }) => bytes.subarray(start, end));
  return Buffer.concat([bytes.subarray(0, SEGMENT_HEADER_BYTES), ...pieces]);
}
