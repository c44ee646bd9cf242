import { createHash, type Hash } from 'node:crypto';
import { extname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FILE_START, Finding } from './finding.ts';
import { Folder, isUnread, unreadFinding } from './folder.ts';
import { parseSource, SOURCE_BYTES_MAX } from './parse.ts';
import type { SchemaName } from './schema-check.ts';
import { schemaFindings } from './schema-findings.ts';
import { Source } from './source.ts';

const EXTENSIONS = ['.yaml', '.yml', '.json'];
/** Reading goes on after a pause when it took this long, so that requests do not wait for it. */
const SLICE_MS = 10;

/** The files of a workspace while they are read: what is wrong with them, and a hash of everything that was read. */
export class WorkspaceFiles {
  readonly folder: Folder;
  readonly findings: Finding[] = [];
  readonly #hash: Hash = createHash('sha256');
  #sliceEndMs = performance.now() + SLICE_MS;

  constructor(root: string) {
    this.folder = new Folder(root);
  }

  /** Hands over every good file of a folder. `missing`: a warning where the folder, or any file in it, is missing; null: none. */
  async read(name: string, schema: SchemaName, missing: string | null, take: (source: Source) => void): Promise<void> {
    const entries = this.folder.list(name);
    if (isUnread(entries)) {
      if (entries.why !== 'missing') this.findings.push(unreadFinding(name, entries, 'It takes a folder of files.'));
      else if (missing !== null) this.warn(name, missing);
      return;
    }
    let files = 0;
    for (const entry of entries) {
      if (!EXTENSIONS.includes(extname(entry.name).toLowerCase())) continue;
      files += 1;
      const source = this.#file(`${name}/${entry.name}`, schema);
      if (source !== null) take(source);
      await this.#pause();
    }
    for (const entry of entries) {
      if (entry.isDirectory())
        this.warn(`${name}/${entry.name}`, 'Folders in here are not read. Move the files one level up.');
    }
    if (files === 0 && missing !== null) this.warn(name, missing);
  }

  #file(file: string, schema: SchemaName): Source | null {
    const bytes = this.folder.read(file, SOURCE_BYTES_MAX);
    if (!isUnread(bytes)) return this.source(file, bytes, schema);
    this.findings.push(unreadFinding(file, bytes, 'Mend it, or move it out of the folder.'));
    return null;
  }

  /** Null, with findings, where the file is not what its schema says. */
  source(file: string, bytes: Uint8Array, schema: SchemaName): Source | null {
    this.addToHash(file, bytes);
    const source = parseSource(file, bytes);
    const findings = source instanceof Source ? schemaFindings(schema, source) : source;
    this.findings.push(...findings);
    return source instanceof Source && findings.length === 0 ? source : null;
  }

  warn(file: string, message: string): void {
    this.findings.push(new Finding('warning', file, FILE_START, message));
  }

  addToHash = (name: string, bytes: Uint8Array): void => {
    this.#hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  };

  /** Of everything that was read, and of these findings: a warning can come of a folder that is not read otherwise. */
  hash(findings: readonly Finding[]): string {
    for (const finding of findings) this.#hash.update(finding.toString());
    return this.#hash.digest('hex');
  }

  async #pause(): Promise<void> {
    if (performance.now() < this.#sliceEndMs) return;
    await nextTurn();
    this.#sliceEndMs = performance.now() + SLICE_MS;
  }
}
