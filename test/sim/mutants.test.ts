import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/sources.ts';

/**
 * Faults are planted in the storage code, one at a time, in a copy; the simulator has to find each. A line that is no
 * longer there as it stands here fails the test too, so that the list keeps up with the code.
 */
interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}
const ACTIVE = 'src/log/active-segment.ts';
const WRITER = 'src/log/writer.ts';
const RECOVERY = 'src/log/recovery.ts';

const MUTANTS: readonly Mutant[] = [
  {
    name: 'no sync',
    file: ACTIVE,
    from: 'await syncFinally(this.#file);\n    this.#end = end;',
    to: 'this.#end = end;',
  },
  {
    name: 'answer before the sync',
    file: ACTIVE,
    from: 'await syncFinally(this.#file);\n    this.#end = end;',
    to: 'void syncFinally(this.#file).then(undefined, String);\n    this.#end = end;',
  },
  { name: 'no sync of the folder', file: ACTIVE, from: '      await fs.syncDirectory(directory);\n', to: '' },
  {
    name: 'checksum ignored',
    file: 'src/log/segment.ts',
    from: 'crc !== crc32(bytes.subarray(at + 8, at + size))',
    to: 'false',
  },
  { name: 'short write ignored', file: 'src/log/io.ts', from: 'at += written;', to: 'at = to;' },
  {
    name: 'a failed sync is tried again',
    file: 'src/log/io.ts',
    from: 'throw new SyncFailed(`A sync failed:',
    to: 'await file.datasync();\n    if (error === null) throw new SyncFailed(`A sync failed:',
  },
  {
    name: 'recovery drops the last batch',
    file: RECOVERY,
    from: 'return { segments, end: whole, damage: gaps };',
    to: 'return { segments, end: proven, damage: gaps };',
  },
  {
    name: 'recovery stops at the first damage',
    file: RECOVERY,
    from: '(await scan.next()) ?? (await scan.resync())',
    to: 'await scan.next()',
  },
  {
    name: 'recovery trusts what was never synced',
    file: RECOVERY,
    from: 'if (whole.byte > proven.byte) await makeDurable(file, proven.byte, whole.byte);',
    to: '',
  },
  {
    name: 'state is applied before the append',
    file: WRITER,
    from: 'await active.append(batch.buffer, batch.bytes);\n    const applied = this.#appliedOf(batch, first);',
    to: 'const applied = this.#appliedOf(batch, first);\n    await onSynced(applied);\n    await active.append(batch.buffer, batch.bytes);',
  },
  {
    name: 'the position is not in the transaction',
    file: 'test/sim/sim-state.ts',
    from: 'this.flushed = this.applied.length;\n  }\n\n  /** A transaction',
    to: 'if (this.applied.length > 1) this.applied.shift();\n    this.flushed = this.applied.length;\n  }\n\n  /** A transaction',
  },
  {
    name: 'the epoch is not checked',
    file: 'src/log/segment.ts',
    from: '  if (bytes.readDoubleLE(at + 16) !== epoch) return null;\n',
    to: '',
  },
  { name: 'what a full disk left is not cut off', file: WRITER, from: '      await this.#active?.cut();\n', to: '' },
  {
    name: 'readers see what is not synced',
    file: WRITER,
    from: '    await active.append(batch.buffer, batch.bytes);\n',
    to: '    await this.#options.endMark.write(active.ref.epoch, { byte: active.end + batch.bytes, offset: first + batch.records.length, crc });\n    await active.append(batch.buffer, batch.bytes);\n',
  },
  {
    name: 'a refused batch is acknowledged',
    file: WRITER,
    from: "batch.reject(new LogUnavailable('disk-full', 'The disk is full.', { cause: error }));",
    to: 'batch.resolve(this.#options.partition, this.#offset);',
  },
  {
    name: 'acknowledged after a failure',
    file: WRITER,
    from: 'batch.reject(failed(error));\n  }',
    to: 'batch.resolve(this.#options.partition, this.#offset);\n  }',
  },
  {
    name: 'retention drops what no snapshot covers',
    file: 'src/state/keeper.ts',
    from: 'return offsets.length < KEPT ? 0 : offsets[offsets.length - KEPT]! + 1;',
    to: 'return offsets.length < KEPT ? Number.MAX_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;',
  },
  {
    name: 'a commit is not synced',
    file: 'src/log/io.ts',
    from: '    await writeFully(file, content, 0, content.length, 0);\n    await file.datasync();\n',
    to: '    await writeFully(file, content, 0, content.length, 0);\n',
  },
];

/** Each is to be found within this many schedules; most are within a hundred. */
const SCHEDULES_MAX = 20_000;

test.each(MUTANTS)('$name is found', async ({ file, from, to }) => {
  const copy = mkdtempSync(join(tmpdir(), 'weir-mutant-'));
  try {
    for (const part of ['src', 'test/sim', 'scripts/sim.ts', 'package.json'])
      cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    const text = readFileSync(join(copy, file), 'utf8');
    expect(text.split(from).length - 1, `the line to plant the fault in, in ${file}`).toBe(1);
    writeFileSync(
      join(copy, file),
      text.replace(from, () => to),
    );
    expect(await firstFinding(copy)).toMatch(/^Schedule \d+ broke a promise/);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

async function firstFinding(copy: string): Promise<string> {
  const args = [
    '--import',
    'tsx',
    join(copy, 'scripts/sim.ts'),
    '--schedules',
    String(SCHEDULES_MAX),
    '--workers',
    '1',
    '--first',
  ];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
    });
  }
  await once(child, 'close');
  return said;
}
