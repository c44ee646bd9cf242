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
  /** Everything in the log, read as `weir events` reads it, whether the server runs or not. */
  records(): Promise<readonly Stored[]>;
  /** Its events, with the record that each stands in. */
  events(): Promise<readonly (StoredEvent & { readonly record: LogRecord })[]>;
  /** Stops the server; its files stay. */
  halt(): Promise<void>;
  /** Starts it again on the same files, on other ports. */
  restart(): Promise<void>;
  /** Stops it, if it runs, and removes its files. */
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
  const start = (): Promise<Running> =>
    startServer({ workspace, data, listeners: { edgePort: 0, serverPort: 0, adminPort: 0 }, log: silent });
  let running: Running | null = await start();
  let last = running;
  const records = async (): Promise<readonly Stored[]> => {
    const all: Stored[] = [];
    const report = (message: string): never => {
      throw new Error(`The log is damaged: ${message}`);
    };
    for await (const stored of readLog(data, false, new AbortController().signal, report)) all.push(stored);
    return all;
  };
  const halt = async (): Promise<void> => {
    await running?.stop();
    running = null;
  };
  return {
    get edge() {
      return last.urls.edge;
    },
    get server() {
      return last.urls.server;
    },
    get running() {
      return last;
    },
    workspace,
    data,
    records,
    events: async () => (await records()).flatMap(({ record }) => record.events.map((event) => ({ ...event, record }))),
    halt,
    async restart() {
      await halt();
      running = await start();
      last = running;
    },
    async stop() {
      await halt();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
