import type { Place } from '../model/decision-definitions.ts';
import { type Activity, PAGE, type Placed } from './activities.ts';
import { SurfaceIndex } from './surfaces.ts';

/** What an activity was asked for: its content for one scope or surface of a request. */
export interface Asked {
  /** Several where several patterns of one activity fit a surface. */
  readonly placed: readonly Placed[];
  /** Of the proposition: as the request named it; of a view, as the author did. */
  readonly scope: string;
  /** What the request named: of a view, the page. */
  readonly askedAs: string;
}

/** All that was asked of one activity. */
export interface AskedActivity {
  readonly activity: Activity;
  readonly asked: readonly Asked[];
}

/**
 * Finds what a request asks for, in the order of judging. What it does not ask for is not looked at, however much there is;
 * what belongs to a scope is put together at load.
 */
export class PlaceIndex {
  readonly #scopes: ReadonlyMap<string, readonly AskedActivity[]>;
  readonly #surfaces = new SurfaceIndex<Placed>();
  /** What was found at surfaces that were asked for, by their texts: pages are few, and each is asked for again and again. */
  readonly #found = new Map<string, readonly AskedActivity[]>();
  #hasSurfaces = false;

  /** In the order of judging. */
  constructor(placed: readonly Placed[]) {
    const scopes = new Map<string, Asked[]>();
    for (const one of placed) {
      const { kind, name } = one.place;
      if (kind === 'surface') this.#addSurface(name, one);
      else push(scopes, scopeOf(one.place), { placed: [one], scope: name, askedAs: scopeOf(one.place) });
    }
    this.#scopes = new Map([...scopes].map(([scope, asked]) => [scope, byActivity(asked)]));
  }

  #addSurface(name: string, placed: Placed): void {
    this.#surfaces.add(name, placed);
    this.#hasSurfaces = true;
  }

  /** Each scope and surface counts once, however often it is named. */
  find(scopes: readonly string[], surfaces: readonly string[]): readonly AskedActivity[] {
    let found = NONE;
    for (let i = 0; i < scopes.length; i++) {
      const list = this.#scopes.get(scopes[i]!);
      if (list !== undefined && scopes.indexOf(scopes[i]!) === i) found = merged(found, list);
    }
    for (let i = 0; i < surfaces.length && this.#hasSurfaces; i++) {
      if (surfaces.indexOf(surfaces[i]!) === i) found = merged(found, this.#ofSurface(surfaces[i]!));
    }
    return found;
  }

  #ofSurface(scope: string): readonly AskedActivity[] {
    const known = this.#found.get(scope);
    if (known !== undefined) return known;
    const found = this.#searched(scope);
    if (scope.length > FOUND_CHARACTERS_MAX) return found;
    if (this.#found.size >= FOUND_MAX) this.#found.clear();
    this.#found.set(scope, found);
    return found;
  }

  #searched(scope: string): readonly AskedActivity[] {
    const found = this.#surfaces.find(scope);
    if (found.length === 0) return NONE;
    const byOrder = new Map<number, Placed[]>();
    for (const placed of found) push(byOrder, placed.activity.order, placed);
    // Exact ones are found before patterns: that is not the order of judging.
    return [...byOrder]
      .sort(([a], [b]) => a - b)
      .map(([, placed]) => ({ activity: placed[0]!.activity, asked: [{ placed, scope, askedAs: scope }] }));
  }
}

const NONE: readonly AskedActivity[] = [];
/** Half a megabyte at most for each datastream. Whoever asks for ever new ones costs a search each time, as if nothing were kept. Chosen. */
export const FOUND_MAX = 1_000;
export const FOUND_CHARACTERS_MAX = 256;

/** A client asks for all views together with its page, and keeps them until they are shown. Documented. */
export function scopeOf({ kind, name }: Place): string {
  return kind === 'view' ? PAGE : name;
}

/** Of one activity everything stands together. */
function byActivity(asked: readonly Asked[]): readonly AskedActivity[] {
  const groups = new Map<Activity, Asked[]>();
  for (const one of asked) push(groups, one.placed[0]!.activity, one);
  return [...groups].map(([activity, ofIt]) => ({ activity, asked: ofIt }));
}

function merged(a: readonly AskedActivity[], b: readonly AskedActivity[]): readonly AskedActivity[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const all: AskedActivity[] = [];
  let i = 0;
  let k = 0;
  while (i < a.length || k < b.length) {
    const left = a[i];
    const right = b[k];
    if (left !== undefined && right !== undefined && left.activity === right.activity) {
      all.push({ activity: left.activity, asked: [...left.asked, ...right.asked] });
      i += 1;
      k += 1;
    } else if (right === undefined || (left !== undefined && left.activity.order < right.activity.order)) {
      all.push(left!);
      i += 1;
    } else {
      all.push(right);
      k += 1;
    }
  }
  return all;
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
