import { extname, posix } from 'node:path';
import type { Page } from '../model/datastream.ts';
import type { Finding } from './finding.ts';
import { type Folder, isUnread, isWithin } from './folder.ts';
import type { WeirFile } from './options.ts';
import type { KeyPath, Source } from './source.ts';

/** Pages are held in memory, so that a path is never a file name. The Web SDK has 0.5 MB unminified. */
export const SITE_FILE_BYTES_MAX = 4 * 1024 * 1024;
export const SITE_BYTES_MAX = 32 * 1024 * 1024;
/** A demo has ten; a built application's folder would better be served by a web server. */
export const SITE_FILES_MAX = 500;
export const SITE_DEPTH_MAX = 8;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.xml': 'application/xml',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.ico': 'image/x-icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.pdf': 'application/pdf',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
};
const UNKNOWN_CONTENT_TYPE = 'application/octet-stream';

/** A page and the file that it was read from. */
export interface SitePage extends Page {
  readonly file: string;
}

/** Reads the pages of `site`, by the paths that they are asked for. What is wrong goes to `findings`. */
export function readSite(
  site: WeirFile['site'],
  folder: Folder,
  source: Source,
  findings: Finding[],
): ReadonlyMap<string, SitePage> {
  const reader = new SiteReader(folder, source, findings);
  if (site === undefined) return reader.pages;
  reader.root(site.root);
  for (const [path, file] of Object.entries(site.files ?? {})) reader.single(path, file);
  return reader.pages;
}

class SiteReader {
  readonly pages = new Map<string, SitePage>();
  readonly #folder: Folder;
  readonly #source: Source;
  readonly #findings: Finding[];
  #files = 0;
  #bytes = 0;
  #isFull = false;

  constructor(folder: Folder, source: Source, findings: Finding[]) {
    this.#folder = folder;
    this.#source = source;
    this.#findings = findings;
  }

  root(name: string): void {
    const real = this.#folder.real(name);
    const workspace = this.#folder.real('.');
    if (real !== null && workspace !== null && isWithin(workspace, real)) {
      this.#error(
        ROOT,
        `'site.root' is '${name}', which holds the workspace itself: its files would be published. Name a folder within it, such as site.`,
      );
      return;
    }
    this.#walk(name, '/', real, 0);
  }

  /** One file from anywhere: who writes weir.yaml names it. */
  single(path: string, file: string): void {
    this.#add(pathKey(path), file, ['site', 'files', path]);
  }

  #walk(name: string, prefix: string, realRoot: string | null, depth: number): void {
    const entries = this.#folder.list(name);
    if (isUnread(entries)) {
      this.#error(
        ROOT,
        `The folder '${name}' cannot be read. ${entries.message} 'site.root' takes a folder, relative to the workspace.`,
      );
      return;
    }
    if (depth > SITE_DEPTH_MAX) {
      this.#error(
        ROOT,
        `The folder '${name}' is nested too deeply: ${SITE_DEPTH_MAX} levels below 'site.root' are read.`,
      );
      return;
    }
    for (const entry of entries) {
      if (this.#isFull) return;
      const child = posix.join(name, entry.name);
      if (entry.isSymbolicLink() && !this.#isPublic(child, realRoot)) continue;
      if (entry.isDirectory()) this.#walk(child, `${prefix}${entry.name}/`, realRoot, depth + 1);
      else this.#addPage(`${prefix}${entry.name}`, child);
    }
  }

  /** A link out of the root would publish a file that nobody named. Links to folders are not followed at all: they can form circles. */
  #isPublic(name: string, realRoot: string | null): boolean {
    const real = this.#folder.real(name);
    if (real !== null && realRoot !== null && isWithin(real, realRoot)) return true;
    this.#error(
      ROOT,
      `'${name}' is a link that leads out of 'site.root', or nowhere. Name the file in 'site.files', or remove the link.`,
    );
    return false;
  }

  /** "/about.html" is also "/about", "/index.html" also "/". */
  #addPage(path: string, file: string): void {
    const page = this.#add(pathKey(path), file, ROOT);
    if (page === null || !path.endsWith('.html')) return;
    const short = path.endsWith('/index.html') ? path.slice(0, -'index.html'.length) : path.slice(0, -'.html'.length);
    if (!this.pages.has(pathKey(short))) this.pages.set(pathKey(short), page);
  }

  #add(path: string, file: string, at: KeyPath): SitePage | null {
    if (this.#isFull) return null;
    const body = this.#folder.read(file, SITE_FILE_BYTES_MAX);
    if (isUnread(body)) {
      const remedy =
        at === ROOT ? 'Mend it, or move it out of the site.' : 'The path is relative to the workspace folder.';
      this.#error(at, `The file '${file}' cannot be served. ${body.message} ${remedy}`);
      return null;
    }
    this.#files += 1;
    this.#bytes += body.length;
    if (this.#files > SITE_FILES_MAX || this.#bytes > SITE_BYTES_MAX) {
      this.#isFull = true;
      const what = this.#files > SITE_FILES_MAX ? `${SITE_FILES_MAX} files` : `${SITE_BYTES_MAX} bytes`;
      this.#error(ROOT, `The site has more than ${what}, which are held in memory. Serve it from a web server.`);
      return null;
    }
    const page = { contentType: CONTENT_TYPES[extname(file).toLowerCase()] ?? UNKNOWN_CONTENT_TYPE, body, file };
    this.pages.set(path, page);
    return page;
  }

  #error(at: KeyPath, message: string): void {
    this.#findings.push(this.#source.error(at, message));
  }
}

const ROOT: KeyPath = ['site', 'root'];

/** A path as browsers send it: "/über uns" → "/%C3%BCber%20uns". */
function pathKey(path: string): string {
  return new URL(`http://site${path.replace(/[%?#\\]/g, encodeURIComponent)}`).pathname;
}
