import { resolve } from 'node:path';
import type { AuthOptions } from '../model/auth.ts';
import type { Datastream, Workspace } from '../model/datastream.ts';
import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import { meant } from '../model/did-you-mean.ts';
import { authOf } from './auth.ts';
import { datastreamsOf, idOf, type OrgSettings } from './datastreams.ts';
import { DecisionsLoading } from './decisions/loading.ts';
import { orgDecisions } from './decisions/options.ts';
import { errorAt, FILE_START, type Finding, sorted } from './finding.ts';
import { isUnread, unreadFinding } from './folder.ts';
import { orgIdentities } from './identity-rules.ts';
import { networkProblem } from './networks.ts';
import { type ServerOptions, serverOptions, type WeirFile } from './options.ts';
import { SOURCE_BYTES_MAX } from './parse.ts';
import { type Regions, regionsOf } from './regions.ts';
import { unitLimits } from './request-units.ts';
import { readSite, type SitePage } from './site.ts';
import type { Source } from './source.ts';
import { WorkspaceFiles } from './workspace-files.ts';

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
/** Folders of parts that are still to come. */
const LATER_FOLDERS = ['destinations'];
const FOLDERS = [DATASTREAMS, 'activities', 'audiences', 'offers', ...LATER_FOLDERS];
/** What they are called in the singular, where that differs by more than the final letter. */
const SINGULARS: ReadonlyMap<string, string> = new Map([['activity', 'activities']]);
/** Content hash: enough of SHA-256 to tell two states of a workspace apart. */
const HASH_DIGITS = 16;

/** Reads and checks a workspace. Never throws for what its files hold. */
export async function loadWorkspace(path: string): Promise<Loaded> {
  return await new Loading(resolve(path)).run();
}

class Loading {
  readonly #files: WorkspaceFiles;
  readonly #datastreams = new Map<string, Datastream>();
  /** Ids to the file that each was first seen in. */
  readonly #ids = new Map<string, string>();
  /** Prefixes of cookies to the org that each was first seen for, and where. */
  readonly #cookiePrefixes = new Map<string, { readonly orgId: string; readonly at: string }>();
  #orgs: OrgSettings = {
    identities: orgIdentities(undefined, null, []),
    unitLimits: unitLimits(),
    logMaxAgeDays: null,
  };

  constructor(root: string) {
    this.#files = new WorkspaceFiles(root);
  }

  async run(): Promise<Loaded> {
    const rootProblem = this.#rootProblem();
    if (rootProblem !== null) {
      const { looked } = this.#files.folder;
      return { ok: false, findings: [errorAt(WEIR_FILE, FILE_START, rootProblem)], looked };
    }
    const weir = this.#weirFile();
    const file = weir === null ? undefined : (weir.value as unknown as WeirFile);
    const all = this.#files.findings;
    const identities = orgIdentities(file?.identity, weir, all);
    const logMaxAgeDays = file?.log?.retention?.maxAgeDays ?? null;
    this.#orgs = { identities, unitLimits: unitLimits(file?.requestUnits), logMaxAgeDays };
    await this.#files.read(DATASTREAMS, 'datastream', NO_DATASTREAM, (source) => this.#datastream(source));
    const optionsOf = orgDecisions(file?.decisions, weir, all);
    const decisions = await new DecisionsLoading({
      files: this.#files,
      datastreams: this.#datastreams,
      identities,
      optionsOf,
    }).load();
    const parts = weir === null ? null : this.#weirParts(weir);
    this.#laterFolders();
    this.#misspeltFolders();
    const { looked, root } = this.#files.folder;
    const findings = sorted(all);
    const hasErrors = findings.some(({ severity }) => severity === 'error');
    if (weir === null || parts === null || hasErrors) return { ok: false, findings, looked };
    const workspace: Workspace = {
      hash: this.#files.hash(findings).slice(0, HASH_DIGITS),
      datastreams: withDecisions(this.#datastreams, decisions),
      ...parts.regions,
      pages: parts.pages,
      auth: parts.auth,
      decisions,
      warnings: findings.map(String),
    };
    const options = serverOptions(weir.value as unknown as WeirFile, root);
    return { ok: true, workspace, options, weir, warnings: findings, looked };
  }

  #weirFile(): Source | null {
    const { folder, findings } = this.#files;
    const bytes = folder.read(WEIR_FILE, SOURCE_BYTES_MAX);
    if (!isUnread(bytes)) return this.#files.source(WEIR_FILE, bytes, 'weir');
    if (bytes.why !== 'missing') findings.push(unreadFinding(WEIR_FILE, bytes, 'It holds the options of the server.'));
    else findings.push(errorAt(WEIR_FILE, FILE_START, this.#missingWeirFile()));
    return null;
  }

  /** Where there is no folder at all, nothing else is worth telling. */
  #rootProblem(): string | null {
    const { folder } = this.#files;
    const entries = folder.list('.');
    if (!isUnread(entries) || !['missing', 'not-file'].includes(entries.why)) return null;
    return `The workspace folder '${folder.root}' cannot be read. ${entries.message} Check the path after --workspace.`;
  }

  #missingWeirFile(): string {
    const entries = this.#files.folder.list('.');
    const other = isUnread(entries) ? undefined : entries.find(({ name }) => /^weir\.(yml|json)$/i.test(name));
    return other === undefined
      ? 'The file is missing, so this folder is no workspace. Create it, with {} in it where every default is right; or check the path after --workspace.'
      : `The file is missing. Rename '${other.name}' to ${WEIR_FILE}.`;
  }

  #datastream(source: Source): void {
    const id = idOf(source)!;
    const first = this.#ids.get(id);
    if (first !== undefined) {
      const { findings } = this.#files;
      findings.push(source.error(['id'], `The id '${id}' is taken by ${first}. Give one of the two another id.`));
      return;
    }
    const { line, column } = source.place(['id']);
    this.#ids.set(id, `${source.file}:${line}:${column}`);
    const all = datastreamsOf(source, this.#orgs, this.#files.findings);
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
      this.#files.findings.push(source.error(['org'], message));
    }
  }

  #weirParts(source: Source): WeirParts | null {
    const file = source.value as unknown as WeirFile;
    const { folder, findings, addToHash } = this.#files;
    file.proxies?.forEach((proxy, index) => {
      const problem = networkProblem(proxy);
      if (problem !== null)
        findings.push(source.error(['proxies', index], `'proxies[${index}]' is "${proxy}". ${problem}`));
    });
    const pages = readSite(file.site, folder, source, findings);
    for (const [path, { file: from, body }] of pages) addToHash(`${path} ${from}`, body);
    const auth = authOf(file.auth, folder, source, findings, addToHash);
    const regions = regionsOf(file, source);
    if (!Array.isArray(regions)) return { regions, pages, auth };
    findings.push(...regions);
    return null;
  }

  #laterFolders(): void {
    for (const name of LATER_FOLDERS) {
      const entries = this.#files.folder.list(name);
      if (isUnread(entries) || entries.length === 0) continue;
      this.#files.warn(name, `This version of Weir does not read '${name}' yet: the files in it have no effect.`);
    }
  }

  /** Folders of other names are a team's own; one whose name is nearly right would have no effect, without a word. */
  #misspeltFolders(): void {
    const entries = this.#files.folder.list('.');
    if (isUnread(entries)) return;
    for (const entry of entries) {
      if (!entry.isDirectory() || FOLDERS.includes(entry.name)) continue;
      const right = SINGULARS.get(entry.name) ?? meant(entry.name, FOLDERS);
      if (right !== null) this.#files.warn(entry.name, `This folder is not read. Did you mean '${right}'?`);
    }
  }
}

/** Each datastream with what its org decides by. */
function withDecisions(
  datastreams: ReadonlyMap<string, Datastream>,
  decisions: ReadonlyMap<string, DecisionDefinitions>,
): ReadonlyMap<string, Datastream> {
  if (decisions.size === 0) return datastreams;
  return new Map([...datastreams].map(([id, one]) => [id, { ...one, decisions: decisions.get(one.orgId) ?? null }]));
}

const NO_DATASTREAM = `There is no datastream, so every event is refused. Create ${DATASTREAMS}/shop.yaml with: id: shop, org: 0123456789ABCDEF01234567@AdobeOrg, name: Shop (a line for each).`;
