/**
 * Surfaces: `web://shop.example/products#hero`, `webapp://…`, `mobileapp://com.example.shop/home`. Scheme and, but for apps,
 * host are compared in lower case, paths without the slashes at their end. Documented for the Web SDK, which sends them so.
 *
 * In patterns of authors, `*` stands for any characters within the host, the path or the fragment (chosen). A path that ends
 * in `/*` is also that of what stands above it: `/products/*` matches `/products`, because clients drop the slash at the end.
 * A pattern without a fragment matches only surfaces without one.
 */
export interface Surface {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  /** Without '#'; null: none. */
  readonly fragment: string | null;
}

/** Characters of a surface that is looked at: as long as URLs get. A longer one matches nothing. */
export const SURFACE_CHARACTERS_MAX = 2_048;
const SURFACE = /^([a-z]+):\/\/([^/#]+)(\/[^#]*)?(?:#(.*))?$/is;

export function parseSurface(text: string): Surface | null {
  const match = text.length > SURFACE_CHARACTERS_MAX ? null : SURFACE.exec(text);
  if (match === null) return null;
  const scheme = match[1]!.toLowerCase();
  const host = scheme === 'mobileapp' ? match[2]! : match[2]!.toLowerCase();
  return { scheme, host, path: withoutEnd(match[3] ?? '/'), fragment: match[4] ?? null };
}

function withoutEnd(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}

/** Finds what patterns belong to a surface without looking at those of other hosts and paths. */
export class SurfaceIndex<T> {
  /** By the whole surface. */
  readonly #exact = new Map<string, T[]>();
  /** Patterns with '*': by scheme and host, or what follows the '*' in it; then by the path before its '*'. */
  readonly #patterns = new Map<string, Map<string, { readonly pattern: Surface; readonly value: T }[]>>();

  /** A pattern that is no surface is found by the same text. */
  add(text: string, value: T): void {
    const pattern = parseSurface(text);
    if (pattern === null || !text.includes('*')) {
      push(this.#exact, pattern === null ? text : keyOf(pattern), value);
      return;
    }
    const hostKey = `${pattern.scheme}:${literalEnd(pattern.host)}`;
    const paths = this.#patterns.get(hostKey) ?? new Map<string, { pattern: Surface; value: T }[]>();
    this.#patterns.set(hostKey, paths);
    push(paths, literalStart(pattern.path), { pattern, value });
  }

  find(text: string): readonly T[] {
    const surface = parseSurface(text);
    const exact = this.#exact.get(surface === null ? text : keyOf(surface)) ?? NONE;
    if (surface === null || this.#patterns.size === 0) return exact as readonly T[];
    const found: T[] = [...(exact as readonly T[])];
    const { scheme, host } = surface;
    this.#findIn(this.#patterns.get(`${scheme}:${host}`), surface, found);
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      this.#findIn(this.#patterns.get(`${scheme}:*${host.slice(dot)}`), surface, found);
    }
    this.#findIn(this.#patterns.get(`${scheme}:*`), surface, found);
    return found;
  }

  #findIn(
    paths: ReadonlyMap<string, readonly { readonly pattern: Surface; readonly value: T }[]> | undefined,
    surface: Surface,
    found: T[],
  ): void {
    if (paths === undefined) return;
    const path = `${surface.path}/`;
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      for (const { pattern, value } of paths.get(path.slice(0, slash + 1)) ?? []) {
        if (matches(pattern, surface)) found.push(value);
      }
    }
  }
}

const NONE: readonly never[] = [];

function push<V>(lists: Map<string, V[]>, key: string, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function keyOf({ scheme, host, path, fragment }: Surface): string {
  return `${scheme}://${host}${path}${fragment === null ? '' : `#${fragment}`}`;
}

/** "*.shop.example" → "*.shop.example"; "eu*.example" → "*.example"; "shop*" → "*"; without '*', the host. */
function literalEnd(host: string): string {
  const star = host.lastIndexOf('*');
  if (star === -1) return host;
  const dot = host.indexOf('.', star);
  return dot === -1 ? '*' : `*${host.slice(dot)}`;
}

/** The path up to the last '/' before its '*': "/products/shoe*" → "/products/"; without '*', the path and a '/'. */
function literalStart(path: string): string {
  const star = path.indexOf('*');
  if (star === -1) return path === '/' ? '/' : `${path}/`;
  return path.slice(0, path.lastIndexOf('/', star) + 1);
}

function matches(pattern: Surface, surface: Surface): boolean {
  if (!isLike(pattern.host, surface.host)) return false;
  if (!isLike(pattern.path, surface.path) && pattern.path !== `${surface.path}/*`) return false;
  if (pattern.fragment === null || surface.fragment === null) return pattern.fragment === surface.fragment;
  return isLike(pattern.fragment, surface.fragment);
}

/** Whether the text is what a pattern with '*' says. Linear: each part is looked for once, from the left. */
function isLike(pattern: string, text: string): boolean {
  if (!pattern.includes('*')) return pattern === text;
  const parts = pattern.split('*');
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
