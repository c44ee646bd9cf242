import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Applied } from '../../src/model/parts.ts';
import { LmdbState } from '../../src/state/lmdb.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { contentOf } from '../conformance/state-store.ts';
import { plannedRecord } from './planned-records.mjs';

const KILLS = 10;
const PERSONS = 300;
const WRITER = fileURLToPath(new URL('./state-writer.mjs', import.meta.url));

/** Starts a writer, waits until it writes, and kills it some moments later. */
async function writeAndKill(directory: string, seed: number, ms: number): Promise<string> {
  const child: ChildProcess = spawn(process.execPath, [WRITER, directory, String(seed), String(PERSONS)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = once(child, 'exit');
  await Promise.race([once(child.stdout!, 'data'), ended]);
  await new Promise((resolve) => setTimeout(resolve, ms));
  child.kill('SIGKILL');
  await ended;
  return said;
}

/** A kill may come between two instructions of a transaction; what is read afterwards is the state at some record, whole. */
test(`killed while it writes, ${KILLS} times: the state at its checkpoint, whole`, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'weir-state-'));
  const seed = Date.now() % 1_000_000;
  const model = new MemoryState();
  let written = -1;
  try {
    // More kills where a busy disk let it write little between them.
    for (let kill = 0; kill < KILLS || written <= KILLS * 50; kill++) {
      const said = await writeAndKill(directory, seed, 5 + ((seed + kill * 31) % 97));
      expect(said, `seed ${seed}, kill ${kill}`).toBe('');
      const state = await LmdbState.open(directory);
      const checkpoint = state.appliedUpTo(0);
      expect(checkpoint).toBeGreaterThanOrEqual(written);
      for (let offset = written + 1; offset <= checkpoint; offset++) {
        model.apply([plannedRecord(seed, offset, PERSONS) as Applied]);
      }
      written = checkpoint;
      expect(contentOf(state), `seed ${seed}, kill ${kill}, checkpoint ${checkpoint}`).toEqual(contentOf(model));
      await state.close();
    }
    expect((await readdir(directory)).sort()).toEqual(['state.mdb', 'state.mdb-lock']);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
