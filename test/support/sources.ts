import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The project's own files, as the rules of the house read them. */

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Made by tools, or not ours. */
const NOT_OURS = ['.git', '.weir', 'coverage', 'dist', 'node_modules', 'test-artefacts'];

/** Every file below `folder` (relative to the root; '' is the root itself), by path with '/' as separator. */
export function filesIn(folder: string): readonly string[] {
  return readdirSync(`${ROOT}${folder}`, { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (NOT_OURS.includes(entry.name) || /^dist\.\d+\./.test(entry.name)) return [];
    if (entry.isDirectory()) return filesIn(path);
    return entry.isFile() ? [path] : [];
  });
}

export function textOf(path: string): string {
  return readFileSync(`${ROOT}${path}`, 'utf8');
}

/** Files by path with their text, those of `folder` that `matches` takes. */
export function sources(folder: string, matches: RegExp): ReadonlyMap<string, string> {
  return new Map(
    filesIn(folder)
      .filter((path) => matches.test(path))
      .map((path) => [path, textOf(path)]),
  );
}

const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s+(?:(?<type>type)\s+)?(?:[\w*{][^;'"]*?\sfrom\s+)?['"](?<name>[^'"]+)['"]|\bimport\(\s*['"](?<lazy>[^'"]+)['"]\s*\)/g;

export interface Import {
  /** './x.ts', 'node:fs', 'lmdb'. */
  readonly specifier: string;
  /** Gone when compiled. */
  readonly isType: boolean;
}

/** What a module imports or re-exports, also lazily. */
export function importsOf(text: string): readonly Import[] {
  return [...text.matchAll(IMPORT)].map(({ groups = {} }) => ({
    specifier: groups['name'] ?? groups['lazy'] ?? '',
    isType: groups['type'] !== undefined,
  }));
}
