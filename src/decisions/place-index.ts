import type { Place } from '../model/decision-definitions.ts';
import { PAGE, type Placed } from './activities.ts';
import { SurfaceIndex } from './surfaces.ts';

/** What an activity was asked for: its content for one scope or surface of a request. */
export interface Asked {
  /** Several where several patterns of one activity fit a surface. */
  readonly placed: readonly Placed[];
  /** Of the proposition: as the request named it; of a view, as the author did. */
  readonly scope: string;
  /** Place of what was asked in the request: the order of the answer. */
  readonly position: number;
}

/** Finds what a request asks for. What it does not ask for is not looked at, however much there is. */
export class PlaceIndex {
  readonly #scopes = new Map<string, Placed[]>();
  readonly #surfaces = new SurfaceIndex<Placed>();
  #hasSurfaces = false;

  /** In the order of judging. */
  constructor(placed: readonly Placed[]) {
    for (const one of placed) this.#add(one, one.place);
  }

  #add(placed: Placed, { kind, name }: Place): void {
    if (kind === 'surface') {
      this.#surfaces.add(name, placed);
      this.#hasSurfaces = true;
      return;
    }
    // A client asks for all views together with its page, and keeps them until they are shown. Documented.
    const scope = kind === 'view' ? PAGE : name;
    const list = this.#scopes.get(scope);
    if (list === undefined) this.#scopes.set(scope, [placed]);
    else list.push(placed);
  }

  /** In the order of judging; each scope and surface once, however often it is named. */
  find(scopes: readonly string[], surfaces: readonly string[]): readonly Asked[] {
    const asked: Asked[] = [];
    const lists =
      this.#addScopes(scopes, asked) + (this.#hasSurfaces ? this.#addSurfaces(surfaces, scopes.length, asked) : 0);
    return lists > 1 ? asked.sort(byOrder) : asked;
  }

  #addScopes(scopes: readonly string[], asked: Asked[]): number {
    let lists = 0;
    for (let position = 0; position < scopes.length; position++) {
      const scope = scopes[position]!;
      const found = this.#scopes.get(scope);
      if (found === undefined || (position > 0 && scopes.indexOf(scope) < position)) continue;
      lists += 1;
      for (const placed of found) {
        asked.push({ placed: [placed], scope: placed.place.kind === 'view' ? placed.place.name : scope, position });
      }
    }
    return lists;
  }

  #addSurfaces(surfaces: readonly string[], first: number, asked: Asked[]): number {
    let lists = 0;
    for (let index = 0; index < surfaces.length; index++) {
      const scope = surfaces[index]!;
      if (index > 0 && surfaces.indexOf(scope) < index) continue;
      const byActivity = new Map<number, Placed[]>();
      for (const placed of this.#surfaces.find(scope)) {
        const list = byActivity.get(placed.activity.order);
        if (list === undefined) byActivity.set(placed.activity.order, [placed]);
        else list.push(placed);
      }
      // Exact ones are found before patterns: the order is not that of judging.
      if (byActivity.size > 0) lists += 2;
      for (const placed of byActivity.values()) asked.push({ placed, scope, position: first + index });
    }
    return lists;
  }
}

function byOrder(a: Asked, b: Asked): number {
  return a.placed[0]!.activity.order - b.placed[0]!.activity.order || a.position - b.position;
}
