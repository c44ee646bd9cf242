import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRecord, Stored, StoredEvent } from '../../src/model/record.ts';
import { type Running, readLog, startServer } from '../../src/server.ts';
import { writeFile } from './workspace-folder.ts';

/** The whole server in this process, with its own workspace and data in a folder that goes with it. */
export interface Weir {
  readonly edge: string;
  readonly server: string;
  readonly running: Running;
  readonly workspace: string;
  readonly data: string;
  /** Everything in the log, read as `weir events` reads it. */
  records(): Promise<readonly Stored[]>;
  /** Its events, with the record that each stands in. */
  events(): Promise<readonly (StoredEvent & { readonly record: LogRecord })[]>;
  stop(): Promise<void>;
}

export const LEAST_WORKSPACE: Readonly<Record<string, string>> = {
  'weir.yaml': '{}\n',
  'datastreams/shop.yaml': 'id: shop\norg: TEST@AdobeOrg\nname: Shop\n',
};

const silent = { info() {}, warn() {}, error() {} };

export async function startWeir(files: Readonly<Record<string, string>> = {}): Promise<Weir> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-'));
  const workspace = join(folder, 'workspace');
  const data = join(folder, 'data');
  for (const [name, content] of Object.entries({ ...LEAST_WORKSPACE, ...files })) writeFile(workspace, name, content);
  const running = await startServer({
    workspace,
    data,
    listeners: { edgePort: 0, serverPort: 0, adminPort: 0 },
    log: silent,
  });
  const records = async (): Promise<readonly Stored[]> => {
    const all: Stored[] = [];
    const report = (message: string): never => {
      throw new Error(`The log is damaged: ${message}`);
    };
    for await (const stored of readLog(data, false, new AbortController().signal, report)) all.push(stored);
    return all;
  };
  return {
    edge: running.urls.edge,
    server: running.urls.server,
    running,
    workspace,
    data,
    records,
    events: async () => (await records()).flatMap(({ record }) => record.events.map((event) => ({ ...event, record }))),
    async stop() {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
