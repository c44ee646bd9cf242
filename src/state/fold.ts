import { erasureOf, isErasure } from '../model/erasure.ts';
import type { Applied } from '../model/parts.ts';
import { applyChange, type PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';
import { type AppliedErasure, appliedErasure } from './erased.ts';

/** Offset of the last applied record by partition; a partition that is absent has none. */
export type Checkpoints = Map<number, number>;

/** What `appliedUpTo` says where nothing was applied: the offset before the first. */
export const NOTHING_APPLIED = -1;

/**
 * Applies records in log order, the same way in every engine: records at or below their partition's checkpoint are
 * skipped, each change meets the person as the change before left it, and the checkpoint moves with every record, with
 * changes or without. `put` is called only where a person did change; `erase` with an erasure, behind which `get` gives
 * nobody whom it names.
 */
export function foldRecords(
  records: readonly Applied[],
  checkpoints: Checkpoints,
  get: (key: string) => PersonState | null,
  put: (person: PersonState) => void,
  erase: (erasure: AppliedErasure) => void,
): void {
  for (const { position, changes } of records) {
    if (position.offset <= (checkpoints.get(position.partition) ?? NOTHING_APPLIED)) continue;
    for (const change of changes) {
      if (isErasure(change)) {
        erase(appliedErasure(erasureOf(change), position));
        continue;
      }
      const before = get(change.key);
      const after = applyChange(before, change, position);
      if (after !== null && after !== before) put(after);
    }
    checkpoints.set(position.partition, position.offset);
  }
}

/**
 * The one position that a dump stands for. An engine that several logs feed has no such position: snapshots of it would
 * have to name one offset per log, and no server writes such a store yet.
 */
export function dumpPosition(checkpoints: Checkpoints): Position {
  if (checkpoints.size > 1) {
    throw new Error(
      `State that ${checkpoints.size} logs feed cannot be dumped at one position. Give each writer process a state folder of its own.`,
    );
  }
  for (const [partition, offset] of checkpoints) return { partition, offset };
  return { partition: 0, offset: NOTHING_APPLIED };
}

/** The checkpoints of a store that holds exactly what a dump at `position` held. */
export function checkpointsAt(position: Position): Checkpoints {
  return new Map(position.offset === NOTHING_APPLIED ? [] : [[position.partition, position.offset]]);
}

/** Records by which one set of checkpoints is behind another. */
export function lagBehind(newer: Checkpoints, older: Checkpoints): number {
  let lag = 0;
  for (const [partition, offset] of newer) lag = Math.max(lag, offset - (older.get(partition) ?? NOTHING_APPLIED));
  return lag;
}
