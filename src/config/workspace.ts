import { createHash, type Hash } from 'node:crypto';
import { extname, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuthOptions } from '../model/auth.ts';
import type { Datastream, Workspace } from '../model/datastream.ts';
import { authOf } from './auth.ts';
import { datastreamsOf, idOf, type OrgSettings } from './datastreams.ts';
import { errorAt, FILE_START, Finding, sorted } from './finding.ts';
import { Folder, isUnread, unreadFinding } from './folder.ts';
import { orgIdentities } from './identity-rules.ts';
import { networkProblem } from './networks.ts';
import { type ServerOptions, serverOptions, type WeirFile } from './options.ts';
import { parseSource, SOURCE_BYTES_MAX } from './parse.ts';
import { type Regions, regionsOf } from './regions.ts';
import { unitLimits } from './request-units.ts';
import { schemaFindings } from './schema-findings.ts';
import { readSite, type SitePage } from './site.ts';
import { Source } from './source.ts';

/** A folder that was read: whole, or with what is wrong with it. */
export type Loaded = Good | Bad;
export interface Good {
  readonly ok: true;
  readonly workspace: Workspace;
  readonly options: ServerOptions;
  /** weir.yaml, to say where an option stands. */
  readonly weir: Source;
  readonly warnings: readonly Finding[];
  /** Absolute paths whose change may change the workspace. */
  readonly looked: readonly string[];
}
export interface Bad {
  readonly ok: false;
  /** Errors and warnings, by file and place; at least one error. */
  readonly findings: readonly Finding[];
  readonly looked: readonly string[];
}

/** What weir.yaml says of the workspace; the rest of it is for the server. */
interface WeirParts {
  readonly regions: Regions;
  readonly pages: ReadonlyMap<string, SitePage>;
  readonly auth: AuthOptions;
}

const WEIR_FILE = 'weir.yaml';
const DATASTREAMS = 'datastreams';
const EXTENSIONS = ['.yaml', '.yml', '.json'];
/** Folders of parts that are still to come. */
const LATER_FOLDERS = ['activities', 'audiences', 'offers', 'destinations'];
/** Content hash: enough of SHA-256 to tell two states of a workspace apart. */
const HASH_DIGITS = 16;
/** Reading goes on after a pause when it took this long, so that requests do not wait for it. */
const SLICE_MS = 10;

/** Reads and checks a workspace. Never throws for what its files hold. */
export async function loadWorkspace(path: string): Promise<Loaded> {
  return await new Loading(resolve(path)).run();
}

class Loading {
  readonly #folder: Folder;
  readonly #findings: Finding[] = [];
  readonly #hash: Hash = createHash('sha256');
  readonly #datastreams = new Map<string, Datastream>();
  /** Ids to the file that each was first seen in. */
  readonly #ids = new Map<string, string>();
  /** Prefixes of cookies to the org that each was first seen for, and where. */
  readonly #cookiePrefixes = new Map<string, { readonly orgId: string; readonly at: string }>();
  #orgs: OrgSettings = { identities: orgIdentities(undefined, null, []), unitLimits: unitLimits() };
  #sliceEndMs = performance.now() + SLICE_MS;

  constructor(root: string) {
    this.#folder = new Folder(root);
  }

  async run(): Promise<Loaded> {
    const weir = this.#weirFile();
    const file = weir === null ? undefined : (weir.value as unknown as WeirFile);
    this.#orgs = {
      identities: orgIdentities(file?.identity, weir, this.#findings),
      unitLimits: unitLimits(file?.requestUnits),
    };
    await this.#readDatastreams();
    const parts = weir === null ? null : this.#weirParts(weir);
    this.#laterFolders();
    const { looked } = this.#folder;
    const findings = sorted(this.#findings);
    const hasErrors = findings.some(({ severity }) => severity === 'error');
    if (weir === null || parts === null || hasErrors) return { ok: false, findings, looked };
    // A warning can come of a folder that is not read otherwise.
    for (const finding of findings) this.#hash.update(finding.toString());
    const workspace: Workspace = {
      hash: this.#hash.digest('hex').slice(0, HASH_DIGITS),
      datastreams: this.#datastreams,
      ...parts.regions,
      pages: parts.pages,
      auth: parts.auth,
      decisions: new Map(),
      warnings: findings.map(String),
    };
    const options = serverOptions(weir.value as unknown as WeirFile, this.#folder.root);
    return { ok: true, workspace, options, weir, warnings: findings, looked };
  }

  #weirFile(): Source | null {
    const bytes = this.#folder.read(WEIR_FILE, SOURCE_BYTES_MAX);
    if (!isUnread(bytes)) return this.#source(WEIR_FILE, bytes, 'weir');
    if (bytes.why !== 'missing')
      this.#findings.push(unreadFinding(WEIR_FILE, bytes, 'It holds the options of the server.'));
    else this.#findings.push(errorAt(WEIR_FILE, FILE_START, this.#missingWeirFile()));
    return null;
  }

  #missingWeirFile(): string {
    const entries = this.#folder.list('.');
    if (isUnread(entries))
      return `The workspace folder '${this.#folder.root}' cannot be read. ${entries.message} Check the path after --workspace.`;
    const other = entries.find(({ name }) => /^weir\.(yml|json)$/i.test(name));
    return other === undefined
      ? 'The file is missing, so this folder is no workspace. Create it, with {} in it where every default is right; or check the path after --workspace.'
      : `The file is missing. Rename '${other.name}' to ${WEIR_FILE}.`;
  }

  async #readDatastreams(): Promise<void> {
    const entries = this.#folder.list(DATASTREAMS);
    if (isUnread(entries)) {
      if (entries.why !== 'missing')
        this.#findings.push(unreadFinding(DATASTREAMS, entries, 'It takes a folder with a file for each datastream.'));
      else this.#warn(DATASTREAMS, NO_DATASTREAM);
      return;
    }
    let files = 0;
    for (const { name } of entries) {
      if (!EXTENSIONS.includes(extname(name).toLowerCase())) continue;
      files += 1;
      this.#readDatastream(`${DATASTREAMS}/${name}`);
      await this.#pause();
    }
    for (const entry of entries) {
      if (entry.isDirectory())
        this.#warn(`${DATASTREAMS}/${entry.name}`, 'Folders in here are not read. Move the files one level up.');
    }
    if (files === 0) this.#warn(DATASTREAMS, NO_DATASTREAM);
  }

  #readDatastream(file: string): void {
    const bytes = this.#folder.read(file, SOURCE_BYTES_MAX);
    if (isUnread(bytes)) {
      this.#findings.push(unreadFinding(file, bytes, 'Mend it, or move it out of the folder.'));
      return;
    }
    const source = this.#source(file, bytes, 'datastream');
    if (source === null) return;
    const id = idOf(source)!;
    const first = this.#ids.get(id);
    if (first !== undefined) {
      this.#findings.push(source.error(['id'], `The id '${id}' is taken by ${first}. Give one of the two another id.`));
      return;
    }
    const { line, column } = source.place(['id']);
    this.#ids.set(id, `${file}:${line}:${column}`);
    const all = datastreamsOf(source, this.#orgs, this.#findings);
    this.#checkCookies(all[0]!, source);
    for (const datastream of all) this.#datastreams.set(datastream.id, datastream);
  }

  /** Names of cookies have '_' for '@' (documented): two orgs of one name there would read each other's visitors. */
  #checkCookies({ orgId, cookiePrefix }: Datastream, source: Source): void {
    const { line, column } = source.place(['org']);
    const first = this.#cookiePrefixes.get(cookiePrefix);
    if (first === undefined) this.#cookiePrefixes.set(cookiePrefix, { orgId, at: `${source.file}:${line}:${column}` });
    else if (first.orgId !== orgId) {
      const message = `The org '${orgId}' would have the cookies of the org '${first.orgId}' (${first.at}): '@' and '_' are one in their names. Give one of the two another org, or a server of its own.`;
      this.#findings.push(source.error(['org'], message));
    }
  }

  /** Null, with findings, where the file is not what its schema says. */
  #source(file: string, bytes: Uint8Array, schema: 'weir' | 'datastream'): Source | null {
    this.#addToHash(file, bytes);
    const source = parseSource(file, bytes);
    const findings = source instanceof Source ? schemaFindings(schema, source) : source;
    this.#findings.push(...findings);
    return source instanceof Source && findings.length === 0 ? source : null;
  }

  #weirParts(source: Source): WeirParts | null {
    const file = source.value as unknown as WeirFile;
    file.proxies?.forEach((proxy, index) => {
      const problem = networkProblem(proxy);
      if (problem !== null)
        this.#findings.push(source.error(['proxies', index], `'proxies[${index}]' is "${proxy}". ${problem}`));
    });
    const pages = readSite(file.site, this.#folder, source, this.#findings);
    for (const [path, { file: from, body }] of pages) this.#addToHash(`${path} ${from}`, body);
    const addToHash = (name: string, bytes: Uint8Array): void => this.#addToHash(name, bytes);
    const auth = authOf(file.auth, this.#folder, source, this.#findings, addToHash);
    const regions = regionsOf(file, source);
    if (!Array.isArray(regions)) return { regions, pages, auth };
    this.#findings.push(...regions);
    return null;
  }

  #laterFolders(): void {
    for (const name of LATER_FOLDERS) {
      const entries = this.#folder.list(name);
      if (isUnread(entries) || entries.length === 0) continue;
      this.#warn(name, `This version of Weir does not read '${name}' yet: the files in it have no effect.`);
    }
  }

  #warn(file: string, message: string): void {
    this.#findings.push(new Finding('warning', file, FILE_START, message));
  }

  #addToHash(name: string, bytes: Uint8Array): void {
    this.#hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }

  async #pause(): Promise<void> {
    if (performance.now() < this.#sliceEndMs) return;
    await nextTurn();
    this.#sliceEndMs = performance.now() + SLICE_MS;
  }
}

const NO_DATASTREAM = `There is no datastream, so every event is refused. Create ${DATASTREAMS}/shop.yaml with: id: shop, org: 0123456789ABCDEF01234567@AdobeOrg, name: Shop (a line for each).`;
