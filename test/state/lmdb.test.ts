import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbState, type LmdbStateLimits } from '../../src/state/lmdb.ts';
import { describeStateStore, type StateEngine } from '../conformance/state-store.ts';

function lmdb(limits: Partial<LmdbStateLimits>): () => StateEngine {
  return () => {
    let directory = '';
    const reopen = (): Promise<LmdbState> => LmdbState.open(directory, { limits, report: () => {} });
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

describeStateStore('lmdb', lmdb({}));
describeStateStore('lmdb, written after every record', lmdb({ flushPersons: 1, flushRecords: 1 }));
describeStateStore('lmdb, never with room in memory', lmdb({ pendingPersonsMax: 1 }));
