import { performance } from 'node:perf_hooks';
import type { Workspace } from '../model/datastream.ts';
import type { JsonObject } from '../model/json.ts';
import { errorAt, FILE_START, type Finding } from './finding.ts';
import { fingerprint } from './folder.ts';
import { changedOptions, type ServerOptions } from './options.ts';
import { type Good, loadWorkspace } from './workspace.ts';

/**
 * How often files' times and sizes are looked at. A change is loaded when two looks in a row agree, so that a file is
 * not read while an editor writes it: half a second after the last write, within the promised second. Looking instead
 * of being notified, because it works the same for editors that replace files, for links that are swapped (mounted
 * configuration) and on file systems without notifications. The demo's 28 paths cost 1 ms a second.
 */
export const POLL_MS = 250;
/** Files that never rest are loaded all the same after so many looks, two seconds. */
export const RESTLESS_LOOKS_MAX = 8;
/** Looking takes at most this share of one processor, however many files there are. */
const POLL_SHARE_MAX = 0.02;
/** So many findings stand in a message; `weir check` prints them all. */
const FINDINGS_TOLD_MAX = 20;

export interface SourceDeps {
  /** Told in one message of a change that was refused, once; and of what is worth saying about one that was taken over. */
  readonly report: (message: string) => void;
  /** Awaited before a change comes in force: a rejection keeps it out, and it is tried again. For the audit log. */
  readonly beforeChange?: (change: WorkspaceChange) => Promise<void>;
  readonly pollMs?: number;
}

/** A workspace that is good and about to replace another. */
export interface WorkspaceChange {
  readonly from: { readonly workspace: Workspace; readonly options: ServerOptions };
  readonly to: { readonly workspace: Workspace; readonly options: ServerOptions };
  /** What made the server look: null where it saw by itself that files had changed, else what `reload` was given. */
  readonly by: JsonObject | null;
}

export interface SourceStatus {
  readonly hash: string;
  readonly loadedAtMs: number;
  /** Why the files as they are now are not in force; null where they are. */
  readonly lastError: readonly Finding[] | null;
  readonly warnings: readonly string[];
}

/** The workspace could not be loaded when the server started: there is no last good one to go on with. */
export class WorkspaceError extends Error {
  readonly findings: readonly Finding[];
  constructor(folder: string, findings: readonly Finding[]) {
    super(`The workspace '${folder}' cannot be loaded:\n${listed(findings)}`);
    this.name = 'WorkspaceError';
    this.findings = findings;
  }
}

/**
 * The workspace as it is in force. When files change it is replaced whole; when they are wrong it stays as it was, and
 * `status` says why. A request takes `current` once and keeps it.
 */
export class WorkspaceSource {
  readonly #folder: string;
  readonly #report: (message: string) => void;
  readonly #beforeChange: (change: WorkspaceChange) => Promise<void>;
  readonly #pollMs: number;
  readonly #listeners = new Set<(workspace: Workspace) => void>();
  /** As at the start: what the server runs with. */
  readonly options: ServerOptions;
  #current: Workspace;
  /** Of the files that were last taken over: some of it waits for a restart. */
  #written: ServerOptions;
  #loadedAtMs = Date.now();
  #lastError: readonly Finding[] | null = null;
  #looked: readonly string[];
  /** Fingerprint of the files that were last loaded; null where they have to be loaded again to be sure. */
  #loadedPrint: string | null = null;
  #changingPrint: string | null = null;
  #restlessLooks = 0;
  #queue: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  private constructor(folder: string, deps: SourceDeps, first: Good) {
    this.#folder = folder;
    this.#report = deps.report;
    this.#beforeChange = deps.beforeChange ?? (async () => {});
    this.#pollMs = deps.pollMs ?? POLL_MS;
    this.options = first.options;
    this.#current = first.workspace;
    this.#written = first.options;
    this.#looked = first.looked;
    this.#schedule(this.#pollMs);
  }

  /** Loads a folder and watches it. Throws `WorkspaceError`. */
  static async open(folder: string, deps: SourceDeps): Promise<WorkspaceSource> {
    const loaded = await loadWorkspace(folder);
    if (!loaded.ok) throw new WorkspaceError(folder, errorsOf(loaded.findings));
    return new WorkspaceSource(folder, deps, loaded);
  }

  get current(): Workspace {
    return this.#current;
  }

  get status(): SourceStatus {
    return {
      hash: this.#current.hash,
      loadedAtMs: this.#loadedAtMs,
      lastError: this.#lastError,
      warnings: this.#current.warnings,
    };
  }

  /** Calls back after each swap, with the new workspace. Returns how to stop it. */
  onChange(listener: (workspace: Workspace) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads the folder now. Never rejects: what is wrong is reported and stands in `status`. `by`: who asked for it. */
  reload(by: JsonObject | null = null): Promise<void> {
    return this.#enqueue(null, by);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.#poll(), delayMs);
    this.#timer.unref();
  }

  #poll(): void {
    const startMs = performance.now();
    const print = fingerprint(this.#looked);
    const tookMs = performance.now() - startMs;
    const next = (): void => this.#schedule(Math.max(this.#pollMs, tookMs / POLL_SHARE_MAX));
    if (print === this.#loadedPrint) this.#changingPrint = null;
    else if (this.#hasSettled(print)) {
      this.#changingPrint = null;
      void this.#enqueue(print, null).then(next);
      return;
    }
    next();
  }

  #hasSettled(print: string): boolean {
    this.#restlessLooks = this.#changingPrint === null ? 0 : this.#restlessLooks + 1;
    const isSettled = print === this.#changingPrint || this.#restlessLooks >= RESTLESS_LOOKS_MAX;
    this.#changingPrint = print;
    return isSettled;
  }

  /** One load at a time, in order. `print`: of the files as they are now, where they have settled. */
  #enqueue(print: string | null, by: JsonObject | null): Promise<void> {
    this.#queue = this.#queue.then(() => this.#load(print, by));
    return this.#queue;
  }

  async #load(print: string | null, by: JsonObject | null): Promise<void> {
    if (this.#isClosed) return;
    try {
      const loaded = await loadWorkspace(this.#folder);
      if (this.#isClosed) return;
      const sameFiles = loaded.looked.join('\n') === this.#looked.join('\n');
      this.#looked = loaded.looked;
      this.#loadedPrint = sameFiles ? print : null;
      if (!loaded.ok) this.#refuse(errorsOf(loaded.findings));
      else if (await this.#mayChange(loaded, by)) this.#accept(loaded);
      else this.#loadedPrint = null;
    } catch (error) {
      // Our own mistake, or a listener's: no reason to stop serving.
      this.#loadedPrint = print;
      this.#refuse([errorAt('weir.yaml', FILE_START, `The workspace could not be taken over: ${String(error)}`)]);
    }
  }

  async #mayChange({ workspace, options }: Good, by: JsonObject | null): Promise<boolean> {
    if (workspace.hash === this.#current.hash) return true;
    const from = { workspace: this.#current, options: this.#written };
    try {
      await this.#beforeChange({ from, to: { workspace, options }, by });
      return !this.#isClosed;
    } catch (error) {
      const why = `A change of the workspace is not in force, because it could not be recorded: ${String(error)} It is tried again.`;
      this.#refuse([errorAt('weir.yaml', FILE_START, why)]);
      return false;
    }
  }

  #accept(loaded: Good): void {
    const wasWrong = this.#lastError !== null;
    this.#lastError = null;
    if (loaded.workspace.hash === this.#current.hash) {
      if (wasWrong) this.#report('The workspace is again as it was loaded: nothing is wrong with it any more.');
      return;
    }
    const known = new Set(this.#current.warnings);
    const warnings = [...loaded.workspace.warnings, ...this.#restartWarnings(loaded)];
    this.#current = { ...loaded.workspace, warnings };
    this.#written = loaded.options;
    this.#loadedAtMs = Date.now();
    if (wasWrong) this.#report('The workspace is whole again, and taken over.');
    for (const warning of warnings) if (!known.has(warning)) this.#report(warning);
    for (const listener of this.#listeners) listener(this.#current);
  }

  #restartWarnings({ options, weir }: Good): string[] {
    return changedOptions(this.options, options).map((name) =>
      weir.warning(name.split('.'), `'${name}' was changed; the change takes effect after a restart.`).toString(),
    );
  }

  #refuse(errors: readonly Finding[]): void {
    const isKnown = this.#lastError?.map(String).join('\n') === errors.map(String).join('\n');
    this.#lastError = errors;
    if (isKnown) return;
    const since = new Date(this.#loadedAtMs).toISOString();
    this.#report(
      `The workspace was changed, but has errors. What was loaded at ${since} stays in force.\n${listed(errors)}`,
    );
  }
}

function errorsOf(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ severity }) => severity === 'error');
}

function listed(findings: readonly Finding[]): string {
  const lines = findings.slice(0, FINDINGS_TOLD_MAX).map((finding) => `  ${finding.toString()}`);
  const rest = findings.length - lines.length;
  return [...lines, ...(rest > 0 ? [`  ${rest} more: see 'weir check'.`] : [])].join('\n');
}
