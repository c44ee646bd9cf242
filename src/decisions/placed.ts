import type { ItemDefinition, Place } from '../model/decision-definitions.ts';
import { type Activity, type Experience, PAGE, type Placed, type PlacedContent } from './activities.ts';
import { propositionOf } from './content.ts';
import { scopeOf } from './place-index.ts';
import { DEFAULT_CONTENT, SINGLE } from './schemas.ts';
import { rankOf } from './scope-details.ts';
import { type PreparedItem, prepareItem } from './templates.ts';
import { wireItem } from './wire-items.ts';

/** The content of an activity, by place. Throws where a template is wrong. */
export function placedContents(activity: Activity): readonly Placed[] {
  return placesOf(activity).map((place) => {
    const prepared = activity.definition.experiences.map(({ items }) =>
      items
        .filter((item) => isAt(item, place))
        .map((item) => ({ item, made: prepareItem(item.schema, wireItem(item, activity.definition)) })),
    );
    const shown = prepared.flatMap((items) => items.map(({ made }) => made)).filter(({ isContent }) => isContent);
    const schemas = new Set(shown.map(({ schema }) => schema));
    const single = isSingle(place, schemas);
    const placed: Placed = { activity, place, isSingle: single, contents: [], schemas };
    const contents = activity.experiences.map((experience) => {
      const items = prepared[experience.index]!;
      const rank = rankOf(
        items.map(({ item }) => item.rank),
        activity.definition.priority,
      );
      const made = items.map((item) => item.made);
      return contentOf(placed, experience, made, rank);
    });
    return { activity, place, isSingle: single, contents, schemas };
  });
}

/** Where a broken activity would have had content: there its verdict says so. */
export function brokenPlaces(activity: Activity): readonly Placed[] {
  return placesOf(activity).map((place) => ({ activity, place, isSingle: false, contents: [], schemas: new Set() }));
}

function placesOf({ definition }: Activity): readonly Place[] {
  const items = definition.experiences.flatMap((experience) => experience.items);
  return [...new Map(items.map(({ place }) => [`${place.kind}\n${place.name}`, place])).values()];
}

function isAt({ place: { kind, name } }: ItemDefinition, place: Place): boolean {
  return kind === place.kind && name === place.name;
}

function contentOf(
  placed: Placed,
  experience: Experience,
  items: readonly PreparedItem[],
  rank: number,
): PlacedContent {
  const { activity, place, isSingle: single } = placed;
  const isContent = items.some((item) => item.isContent);
  const fixed = items.map((item) => item.fixed).filter((item) => item !== null);
  const asked = { placed: [placed], scope: place.name };
  const isAnswered = isContent || items.some(({ schema }) => schema === DEFAULT_CONTENT);
  const isReady = isAnswered && fixed.length === items.length && place.kind !== 'surface';
  // One literal, without spreading: these are read for all that is shown, and are to have one shape.
  return {
    items,
    rank,
    isContent,
    schemas: [...new Set(items.map(({ schema }) => schema))],
    ready: isReady
      ? {
          proposition: Object.freeze(propositionOf(activity, experience, asked, rank, fixed, false)),
          askedAs: scopeOf(place),
          rank,
          isSingle: single,
        }
      : null,
  };
}

/** All may change a page or a view; a named scope has one; a surface has any number of messages, and one of what is put in its place. */
function isSingle({ kind, name }: Place, schemas: ReadonlySet<string>): boolean {
  if (kind === 'surface') return [...schemas].some((schema) => SINGLE.has(schema));
  return kind === 'scope' && name !== PAGE;
}
