import { statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, readdirIfThere } from './log/io.ts';
import { nodeFs } from './log/node-fs.ts';
import type { Digest } from './model/erasure.ts';
import type { Stored } from './model/record.ts';
import { type Held, Sections } from './replays/sections.ts';
import { readSnapshotFile, SnapshotDamaged } from './state/snapshot-file.ts';
import { knownErasureKey, readLog } from './storage.ts';

/** Persons' sections, folded from the log of a data folder once more, whether a server runs on it or not. */

/** A place in the log, or a time: Unix epoch, milliseconds. */
export type Bound = { readonly offset: number } | { readonly timeMs: number };

export interface Folding {
  readonly sections: Sections;
  readonly records: AsyncIterable<Stored>;
  /** To be told before each record. */
  reached(offset: number): void;
}

const PARTITION = 0;
const NEVER = new AbortController().signal;

/**
 * Where the fold starts: at the newest snapshot before what is wanted; else at the log's first record, with what the oldest
 * snapshot knows where the log's start is gone.
 */
export async function startFold(
  data: string,
  from: Bound | null,
  report: (message: string) => void,
  held?: Held,
): Promise<Folding> {
  // Without a key the reader shows nothing while an erasure is being carried out; afterwards nobody is left to be told.
  const digest = (await knownErasureKey(data))?.digest ?? null;
  const snapshots = await snapshotsOf(data);
  for (const snapshot of [...snapshots].reverse()) {
    if (from === null || !isBeforeBound(snapshot, from)) continue;
    const sections = await readInto(data, snapshot.offset, report, 'restore', digest, held);
    if (sections === null) continue;
    const at = { partition: PARTITION, offset: snapshot.offset + 1 };
    return { sections, records: readLog(data, false, NEVER, report, at), reached() {} };
  }
  const first = await firstOffset(data);
  const records = readLog(data, false, NEVER, report);
  if (first === 0) return { sections: new Sections(true, digest, held), records, reached() {} };
  for (const { offset } of snapshots) {
    if (offset < first - 1) continue;
    const sections = await readInto(data, offset, report, offset === first - 1 ? 'restore' : 'learn', digest, held);
    if (sections === null) continue;
    let isAhead = offset >= first;
    const reached = (at: number): void => {
      if (!isAhead || at <= offset) return;
      isAhead = false;
      sections.reachLearned();
    };
    return { sections, records, reached };
  }
  return { sections: new Sections(false, digest, held), records, reached() {} };
}

/** What is damaged is told by whoever reads all of it. */
async function firstOffset(data: string): Promise<number> {
  for await (const { position } of readLog(data, false, NEVER, () => {})) return position.offset;
  return 0;
}

interface SnapshotRef {
  readonly offset: number;
  /** When it was written: everything in it was received before. */
  readonly writtenAtMs: number;
}

function isBeforeBound({ offset, writtenAtMs }: SnapshotRef, bound: Bound): boolean {
  return 'offset' in bound ? offset < bound.offset : writtenAtMs < bound.timeMs;
}

const SNAPSHOT = new RegExp(`^${PARTITION}-(\\d{16})\\.snapshot$`);

/** Oldest first. Only looked at: the server that owns them may be running, and take some away. */
async function snapshotsOf(data: string): Promise<readonly SnapshotRef[]> {
  const folder = join(data, 'snapshots');
  const names = (await readdirIfThere(nodeFs, folder)) ?? [];
  const found: SnapshotRef[] = [];
  for (const name of names.sort()) {
    const offset = SNAPSHOT.exec(name)?.[1];
    const stats = offset === undefined ? undefined : statSync(join(folder, name), { throwIfNoEntry: false });
    if (stats !== undefined) found.push({ offset: Number(offset), writtenAtMs: stats.mtimeMs });
  }
  return found;
}

/** Null where the snapshot is damaged, which is reported, or has been taken away. `learn`: it stands behind the first records. */
async function readInto(
  data: string,
  offset: number,
  report: (message: string) => void,
  how: 'restore' | 'learn',
  digest: Digest | null,
  held: Held | undefined,
): Promise<Sections | null> {
  const path = join(data, 'snapshots', `${PARTITION}-${String(offset).padStart(16, '0')}.snapshot`);
  const sections = new Sections(how === 'restore', digest, held);
  try {
    for await (const person of readSnapshotFile(nodeFs, path, { partition: PARTITION, offset })) {
      if (how === 'restore') sections.restore(person);
      else sections.learn(person);
    }
    return sections;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    if (!(error instanceof SnapshotDamaged)) throw error;
    report(error.message);
    return null;
  }
}
