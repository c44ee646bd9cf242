import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileLog } from '../../src/log/file.ts';
import { nodeFs } from '../../src/log/node-fs.ts';
import type { Fs } from '../../src/model/fs.ts';
import type { EventLog } from '../../src/model/parts.ts';
import { describeErasingLog } from '../conformance/erasing-log.ts';
import { describeEventLog } from '../conformance/event-log.ts';
import type { LogDeps, LogEngine } from '../conformance/log-engine.ts';
import { failure } from './memory-fs.ts';

/** The real file system, whose syncs of files fail from some moment on. */
class BreakingDisk {
  isBroken = false;
  readonly fs: Fs = {
    ...nodeFs,
    open: async (path, mode) => {
      const file = await nodeFs.open(path, mode);
      return {
        read: (...rest) => file.read(...rest),
        write: (...rest) => file.write(...rest),
        datasync: () => (this.isBroken ? Promise.reject(failure('EIO', `datasync ${path}`)) : file.datasync()),
        truncate: (size) => file.truncate(size),
        size: () => file.size(),
        close: () => file.close(),
      };
    },
  };
}

class FileLogEngine implements LogEngine {
  readonly #disk = new BreakingDisk();
  #folder = '';

  async open(deps: LogDeps): Promise<FileLog> {
    this.#folder = await mkdtemp(join(tmpdir(), 'weir-log-'));
    return this.#open(deps);
  }

  #open(deps: LogDeps): Promise<FileLog> {
    return FileLog.open({
      ...deps,
      fs: this.#disk.fs,
      directory: join(this.#folder, 'log'),
      partition: 0,
      // Small, so that these few records take several segments.
      segmentBytes: 2048,
      preallocateBytes: 1024,
      queueBytesMax: 1024 * 1024,
      queueAgeMsMax: 30_000,
      lowWaterBytes: 0,
      reservedBytes: 0,
      retention: { maxAgeMs: null, maxBytes: null },
      mayDropBefore: () => 0,
      onFatal: () => undefined,
      report: (message, missing) => {
        if (missing !== undefined) throw new Error(message);
      },
    });
  }

  async reopen(log: EventLog, deps: LogDeps): Promise<FileLog> {
    await log.close();
    return this.#open(deps);
  }

  breakDown(): void {
    this.#disk.isBroken = true;
  }

  dispose(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }
}

describeEventLog('FileLog on a real file system', () => new FileLogEngine());
describeErasingLog('FileLog on a real file system', () => new FileLogEngine());
