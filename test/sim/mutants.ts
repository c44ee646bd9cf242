import { type Mutant, mutant } from './mutant.ts';
import { EXPIRING } from './mutants-of-expiry.ts';

const ACTIVE = 'src/log/active-segment.ts';
const WRITER = 'src/log/writer.ts';
const RECOVERY = 'src/log/recovery.ts';
const SEGMENT = 'src/log/segment.ts';
const SCAN = 'src/log/scan.ts';
const IO = 'src/log/io.ts';
const OPENING = 'src/log/opening.ts';
const CURSOR = 'src/log/cursor.ts';
const READER = 'src/log/reader.ts';
const CONSUMERS = 'src/log/consumers.ts';
const APPEND = 'await active.append(batch.buffer, batch.bytes);';
const SYNC_OF_BATCH = 'await syncFinally(this.#file);\n    this.#end = end;';
const NEW_MARK = '{ byte: active.end, offset: this.#offset, crc }';

const WRITING: readonly Mutant[] = [
  mutant('a batch is not synced', ACTIVE, SYNC_OF_BATCH, 'this.#end = end;'),
  mutant(
    'a batch is acknowledged before its sync',
    ACTIVE,
    SYNC_OF_BATCH,
    'void syncFinally(this.#file).then(undefined, String);\n    this.#end = end;',
  ),
  mutant('the name of a segment is not synced', ACTIVE, '      await fs.syncDirectory(directory);\n', ''),
  mutant(
    'a segment that was not made comes back',
    ACTIVE,
    '      await syncDirectoryFinally(fs, directory);\n',
    '',
    'tight',
  ),
  mutant('a short write is taken for a whole one', IO, 'at += written;', 'at = to;'),
  mutant(
    'a failed sync is tried again',
    IO,
    'throw new SyncFailed(`A sync failed:',
    'await file.datasync();\n    if (error === null) throw new SyncFailed(`A sync failed:',
  ),
  mutant(
    'a sync that fails for lack of space passes',
    IO,
    'throw new SyncFailed(`A sync failed:',
    'throw error;\n    throw new SyncFailed(`A sync failed:',
  ),
  mutant(
    'a batch is written in part',
    WRITER,
    APPEND,
    'await active.append(batch.buffer, batch.records.length > 2 ? batch.bytes - 64 : batch.bytes);',
  ),
  mutant('what a full disk left is not cut off', WRITER, '      await this.#active?.cut();\n', ''),
  mutant(
    'the cut is not synced',
    ACTIVE,
    'await this.#file.truncate(this.#end);\n    await syncFinally(this.#file);',
    'await this.#file.truncate(this.#end);',
  ),
  mutant(
    'zeros are written over records',
    ACTIVE,
    '    if (this.#ahead !== null && end > this.#allocated) await this.#stopAhead();\n',
    '',
    'busy',
  ),
  mutant(
    'a batch is acknowledged though the zeros’ sync failed',
    WRITER,
    '    if (this.#failure !== null) throw this.#failure;\n',
    '',
    'busy',
  ),
  mutant(
    'offsets are given twice',
    WRITER,
    'this.#offset = first + batch.records.length;',
    'this.#offset = first + 1;',
  ),
  mutant('a disk that was full stays full', 'src/log/disk-space.ts', '    this.#isFull = false;\n', ''),
  mutant(
    'a refused batch is acknowledged',
    WRITER,
    "batch.reject(new LogUnavailable('disk-full', 'The disk is full.', { cause: error }));",
    'batch.resolve(this.#options.partition, this.#offset);',
  ),
  mutant(
    'a failed batch is acknowledged',
    WRITER,
    'batch.reject(failed(error));\n  }',
    'batch.resolve(this.#options.partition, this.#offset);\n  }',
  ),
];

const STATE: readonly Mutant[] = [
  mutant(
    'state is changed before the log',
    WRITER,
    APPEND,
    `await onSynced(this.#appliedOf(batch, first));\n    ${APPEND}`,
  ),
  mutant(
    'a batch is acknowledged before state has it',
    WRITER,
    'const pending = applied.length === 0 ? undefined : onSynced(applied);',
    'setImmediate(() => onSynced(applied));\n    const pending = undefined;',
  ),
  mutant(
    'the position is not in the transaction',
    'test/sim/sim-state.ts',
    'this.flushed = this.applied.length;\n  }\n\n  /** A transaction',
    'if (this.applied.length > 1) this.applied.shift();\n    this.flushed = this.applied.length;\n  }\n\n  /** A transaction',
  ),
  mutant('a snapshot is not synced', 'src/state/snapshot-file.ts', '    await file.datasync();\n', '', 'upkeep'),
  mutant(
    'the name of a snapshot is not synced',
    'src/state/snapshots.ts',
    '      await this.#giveUp(unfinished, error);\n    }\n    await this.#fs.syncDirectory(this.#directory);\n',
    '      await this.#giveUp(unfinished, error);\n    }\n',
    'upkeep',
  ),
  mutant(
    'retention asks no snapshot',
    'src/log/retention.ts',
    '    if (next.firstOffset > mayDropBefore) break;\n',
    '',
    'upkeep',
  ),
  mutant(
    'one snapshot is enough for retention',
    'src/state/keeper.ts',
    'return offsets.length < KEPT ? 0 : offsets[offsets.length - KEPT]! + 1;',
    'return offsets.length < 1 ? 0 : offsets.at(-1)! + 1;',
    'upkeep',
  ),
  {
    name: 'retention forgets segments by their number',
    theme: 'upkeep',
    edits: [
      { file: 'src/log/upkeep.ts', find: 'writer.forget([ref]);', replace: 'writer.forget(1);' },
      { file: WRITER, find: 'this.forget([last]);', replace: 'this.#segments.splice(-2, 1);' },
      {
        file: WRITER,
        find: '    for (const { name } of segments) {',
        replace: '    this.#segments.splice(0, segments as unknown as number);\n    for (const { name } of []) {',
      },
    ],
  },
];

const RECOVERING: readonly Mutant[] = [
  mutant(
    'a start drops the last batch',
    RECOVERY,
    'return { segments, end: whole, damage: gaps };',
    'return { segments, end: proven, damage: gaps };',
  ),
  mutant(
    'a start trusts what was never synced',
    RECOVERY,
    '    if (whole.byte > proven.byte) await makeDurable(file, proven.byte, whole.byte);\n',
    '',
    'decay',
  ),
  mutant(
    'a start ends the log at the first damage',
    RECOVERY,
    '(await scan.next()) ?? (await scan.resync())',
    'await scan.next()',
    'decay',
  ),
  mutant('a start does not report damage', OPENING, 'of found.damage) {', 'of []) {', 'decay'),
  mutant(
    'offsets that were delivered are given again',
    'src/log/opening.ts',
    'Math.max(end, consumers.committedMax)',
    'end',
    'decay',
  ),
  mutant(
    'checksums are not looked at',
    SEGMENT,
    '  if (crc !== crc32(bytes.subarray(at + 8, at + size))) return null;\n',
    '',
  ),
  mutant('epochs are not looked at', SEGMENT, '  if (bytes.readDoubleLE(at + 16) !== epoch) return null;\n', ''),
  {
    name: 'leftovers of a refused batch pass for records',
    theme: 'mixed',
    edits: [
      { file: SCAN, find: '    if (crc !== null && frame.previousCrc !== crc) return null;\n', replace: '' },
      {
        file: ACTIVE,
        find: 'await this.#file.truncate(this.#end);\n    await syncFinally(this.#file);\n    this.#allocated',
        replace: 'this.#allocated',
      },
      // The disk keeps a look at this by itself, which is not what is to find it.
      {
        file: 'test/sim/sim-fs.ts',
        find: "if (isData && isNew && file.seen.length > 0) file.fragment = 'there';",
        replace: '',
      },
    ],
  },
];

const READING: readonly Mutant[] = [
  mutant(
    'readers see what is not synced',
    WRITER,
    APPEND,
    `this.#offset = first + batch.records.length;\n    ${APPEND}`,
  ),
  mutant(
    'the mark is written before the sync',
    WRITER,
    APPEND,
    `await this.#options.endMark.write(active.ref.epoch, { byte: active.end + batch.bytes, offset: first + batch.records.length, crc });\n    ${APPEND}`,
  ),
  mutant(
    'a batch is acknowledged before the mark',
    WRITER,
    `this.#options.endMark.write(active.ref.epoch, ${NEW_MARK}),`,
    `batch.resolve(partition, first),\n      this.#options.endMark.write(active.ref.epoch, ${NEW_MARK}),`,
    'busy',
  ),
  mutant('a mark of another boot is believed', READER, ' && mark.bootId === bootId', '', 'busy'),
  mutant(
    'all that is whole is durable to a reader outside',
    READER,
    'isOldBoot ? whole.offset : proven.offset',
    'whole.offset',
  ),
  mutant('a reader stops at damage', CURSOR, '(await scan.next()) ?? (await scan.resync())', 'await scan.next()'),
  mutant(
    'a reader does not report damage',
    CURSOR,
    '    this.#options.report(',
    "    if (why === 'dropped') this.#options.report(",
  ),
];

const CONSUMING: readonly Mutant[] = [
  mutant(
    'a batch is committed when it is handed out',
    CONSUMERS,
    'const handedAt = seeks;',
    'const handedAt = seeks;\n        await this.#commit(name, at, next);',
  ),
  mutant('a commit is not synced', IO, '    await file.datasync();\n  } finally {', '  } finally {'),
  mutant('the name of a commit is not synced', IO, '  await fs.syncDirectory(directory);\n}', '}'),
  mutant(
    'a commit from before a seek undoes it',
    CONSUMERS,
    'handedAt === at.seeks ? this.#commit(name, at, next) : Promise.resolve()',
    'this.#commit(name, at, next)',
    'busy',
  ),
];

const REWRITING = 'src/log/rewriting.ts';
const UPKEEP = 'src/log/upkeep.ts';

const ERASING: readonly Mutant[] = [
  mutant(
    'who is erased is not written down',
    'src/log/hidden-file.ts',
    '      await space.withReserve(() => replaceFile(fs, directory, HIDDEN_FILE, encodeHidden(list)));\n',
    '      if (fs === null) await space.withReserve(() => replaceFile(fs, directory, HIDDEN_FILE, encodeHidden(list)));\n',
    'erasure',
  ),
  mutant(
    'a start forgets erasures that were under way',
    'src/log/opening.ts',
    'else await hidden.place(id, found);',
    'else await hidden.end([id]);',
    'erasure',
  ),
  mutant('a rewritten segment is not synced', REWRITING, '    await this.#file.datasync();\n', '', 'erasure'),
  mutant(
    'a rewritten segment is written in place',
    REWRITING,
    'const unfinished = path + UNFINISHED;\n    await unlinkIfThere(fs, unfinished);',
    'const unfinished = path;\n    await unlinkIfThere(fs, unfinished);',
    'erasure',
  ),
  mutant('the newest segment is not rewritten', UPKEEP, '    await writer.seal();\n', '', 'erasure'),
  mutant(
    'an erasure passes over a segment that could not be removed',
    UPKEEP,
    '    const current = hidden.current.placed();\n    await this.#removeLeaving();\n',
    '    const current = hidden.current.placed();\n',
    'stuck',
  ),
  mutant(
    'segments are dropped behind one that could not be removed',
    UPKEEP,
    '    await this.#removeLeaving();\n    const segments = [...writer.segments];\n',
    '    const segments = [...writer.segments];\n',
    'stuck',
  ),
  mutant(
    'a rewritten chain keeps its old links',
    REWRITING,
    'this.#crc = sealFrame(bytes, 0, payload.length, frame);',
    'this.#crc = 0;\n    sealFrame(bytes, 0, payload.length, frame);',
    'erasure',
  ),
  mutant(
    'a person is not hidden any more before the segments are rewritten',
    'src/erasures.ts',
    'const rewritten = await log.rewrite();',
    'await log.forgetErasures(placed.map(({ id }) => id));\n    const rewritten = await log.rewrite();',
    'erasure',
  ),
  mutant(
    'snapshots keep whom they hold',
    'src/state/keeper.ts',
    'return await this.#snapshots.purge((person) => erased.of(person), this.#report);',
    'return await this.#snapshots.purge((person) => person, this.#report);',
    'erasure',
  ),
  mutant(
    'state keeps links to who is erased',
    'src/state/erased.ts',
    '  if (left === identity) return person;\n',
    '  if (left !== null) return person;\n',
    'erasure',
  ),
];

/** The schedule to begin with: shortly before the first that finds it, where that comes late. */
const FIRST: Readonly<Record<string, number>> = {
  'rules that a full disk refused are not written again': 73,
  'choices are not synced before their segment is dropped': 85,
  'choices go while state needs them': 137,
  'a rule removes what it hides at once': 137,
  'a disk that was full stays full': 187,
  'a failed sync is tried again': 274,
  'a sync that fails for lack of space passes': 274,
  'one snapshot is enough for retention': 478,
  'epochs are not looked at': 685,
  'a commit from before a seek undoes it': 766,
  'a removed file of choices comes back': 785,
  'the cut is not synced': 1105,
  'a mark of another boot is believed': 1450,
  'the newest segment is not rewritten': 2275,
  'the name of a file of choices is not synced': 2895,
  'a segment that was not made comes back': 4865,
  'retention forgets segments by their number': 7890,
};

export const MUTANTS: readonly Mutant[] = [
  ...[...EXPIRING, ...ERASING, ...WRITING, ...STATE],
  ...[...RECOVERING, ...READING, ...CONSUMING],
].map((one) => ({ ...one, first: FIRST[one.name] ?? 1 }));
