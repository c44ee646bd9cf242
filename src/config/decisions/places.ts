import type { ItemDefinition, Place } from '../../model/decision-definitions.ts';
import { meant } from '../../model/did-you-mean.ts';
import type { KeyPath } from '../source.ts';
import type { Authoring } from './authoring.ts';

/** Where content belongs, as files say it: one of the three. */
export interface PlaceFile {
  readonly scope?: string;
  readonly view?: string;
  readonly surface?: string;
}

/** All of a page: what the Web SDK asks for by itself. Documented. */
export const PAGE: Place = Object.freeze({ kind: 'scope', name: '__view__' });

/** Null where the file names none. */
export function placeOf(authoring: Authoring, at: KeyPath, file: PlaceFile): Place | null {
  const places = (['scope', 'view', 'surface'] as const).flatMap((kind): Place[] => {
    const name = file[kind];
    return name === undefined ? [] : [{ kind, name }];
  });
  const second = places[1];
  if (second !== undefined) {
    const message = `The content has both a '${places[0]!.kind}' and a '${second.kind}'. It belongs to one place: keep one of them.`;
    authoring.error([...at, second.kind], message, 'key');
  }
  const first = places[0] ?? null;
  if (first?.kind === 'scope' && first.name !== PAGE.name && meant(first.name, [PAGE.name]) !== null) {
    const message = `No client asks for '${first.name}' by itself. Did you mean '${PAGE.name}', which is the page?`;
    authoring.warn([...at, 'scope'], message);
  }
  return first;
}

/**
 * The Web SDK keeps the rules of an activity for one surface at a time (observed): of a page and of a part of it, which it asks
 * for together, only those that come last are left.
 */
export function checkRulesOfPage(authoring: Authoring, at: KeyPath, items: readonly ItemDefinition[]): void {
  const byPage = new Map<string, string>();
  for (const { schema, place } of items) {
    if (!schema.endsWith('/ruleset-item') || !/^web:/i.test(place.name)) continue;
    const page = place.name.split('#', 1)[0]!;
    const first = byPage.get(page);
    if (first === undefined) byPage.set(page, place.name);
    else if (first !== place.name) {
      const message = `Messages and cards stand at '${first}' and at '${place.name}', of one page: the Web SDK keeps those of one of the two for each activity. Make two activities of it.`;
      authoring.warn(at, message);
      return;
    }
  }
}
