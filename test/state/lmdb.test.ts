import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbState } from '../../src/state/lmdb.ts';
import type { LmdbStateLimits } from '../../src/state/lmdb-limits.ts';
import { describeErasingState } from '../conformance/erasing-state.ts';
import { DIGEST, describeStateStore, type StateEngine } from '../conformance/state-store.ts';

function lmdb(limits: Partial<LmdbStateLimits>): () => StateEngine {
  return () => {
    let directory = '';
    const reopen = (): Promise<LmdbState> => LmdbState.open(directory, { limits, report: () => {}, digest: DIGEST });
    return {
      async open() {
        directory = await mkdtemp(join(tmpdir(), 'weir-state-'));
        return reopen();
      },
      async reopen(store) {
        await store.close();
        return reopen();
      },
      dispose: () => rm(directory, { recursive: true, force: true }),
    };
  };
}

for (const [name, limits] of Object.entries<Partial<LmdbStateLimits>>({
  lmdb: {},
  'lmdb, written after every record': { flushPersons: 1, flushRecords: 1 },
  'lmdb, with a cache that forgets at once': { cacheBytesMax: 1 },
  'lmdb, that forgets at once what was just written': { cacheBytesMax: 1, flushPersons: 1, flushRecords: 1 },
  'lmdb, never with room in memory': { pendingPersonsMax: 1 },
})) {
  describeStateStore(name, lmdb(limits));
  describeErasingState(name, lmdb(limits));
}
