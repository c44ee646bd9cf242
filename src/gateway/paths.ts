import type { Workspace } from '../model/datastream.ts';
import type { Endpoint, Matrix, Stage } from '../model/parts.ts';
import type { Region } from '../model/region.ts';

/** Mobile clients set to pre-production use this base path. Documented. */
export const PRE_PRODUCTION_BASE_PATH = 'ee-pre-prd';

export interface Route {
  readonly endpoint: Endpoint;
  /** As in `Endpoint.paths`. */
  readonly path: string;
  readonly stages: readonly Stage[];
  readonly region: Region;
}

/** Why a path leads nowhere. `unknown-hint` is answered with an empty 404, as the service was seen to do. */
export type NoRoute = 'not-found' | 'unknown-hint' | 'media';

/**
 * Paths to endpoints: `/<base>[/<region hint>]<endpoint path>`. Every spelling with a known hint is one key of a map,
 * made when the workspace changes; only what is not in the map is looked at piece by piece.
 */
export class Paths {
  readonly #routes = new Map<string, Route>();
  readonly #bases: readonly string[];
  readonly #workspace: Workspace;
  readonly #matrix: Matrix;

  constructor(basePath: string, matrix: Matrix, workspace: Workspace) {
    this.#bases = [...new Set([basePath, PRE_PRODUCTION_BASE_PATH])];
    this.#workspace = workspace;
    this.#matrix = matrix;
    for (const base of this.#bases) {
      this.#add(`/${base}`, workspace.ownRegion);
      for (const [hint, region] of workspace.regions.byHint) this.#add(`/${base}/${hint}`, region);
      for (const [id, region] of workspace.regions.byTargetId) this.#add(`/${base}/t${id}`, region);
    }
  }

  find(pathname: string): Route | NoRoute {
    return this.#routes.get(pathname) ?? this.#look(pathname);
  }

  #add(prefix: string, region: Region): void {
    for (const [endpoint, stages] of this.#matrix) {
      for (const path of endpoint.paths) this.#routes.set(prefix + path, { endpoint, path, stages, region });
    }
  }

  #look(pathname: string): Route | NoRoute {
    const [, base, first, ...rest] = pathname.split('/');
    if (base === undefined || first === undefined || !this.#bases.includes(base)) return 'not-found';
    if (isVersion(first)) return first === 'va' ? 'media' : 'not-found';
    // A Target id that no region has leads to the own region: the client got it from another service. Chosen.
    if (/^t\d{1,9}$/.test(first) && !this.#workspace.regions.byTargetId.has(Number(first.slice(1)))) {
      return this.#routes.get(`/${base}/${rest.join('/')}`) ?? (rest[0] === 'va' ? 'media' : 'not-found');
    }
    const known = this.#workspace.regions.byHint.has(first) || /^t\d{1,9}$/.test(first);
    // Without a version behind it, it is no hint: the version was left out, or misspelt.
    if (!known) return isVersion(rest[0] ?? '') ? 'unknown-hint' : 'not-found';
    return rest[0] === 'va' ? 'media' : 'not-found';
  }
}

function isVersion(segment: string): boolean {
  return segment === 'va' || /^v\d{1,2}$/.test(segment);
}
