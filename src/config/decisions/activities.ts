import { factNamesOf } from '../../language/paths.ts';
import { literally } from '../../language/templates.ts';
import { PERSONALIZING, type Requirement } from '../../model/consent-gate.ts';
import type {
  ActivityDefinition,
  ExperienceDefinition,
  GoalDefinition,
  ItemDefinition,
  Place,
} from '../../model/decision-definitions.ts';
import type { Json } from '../../model/json.ts';
import type { KeyPath } from '../source.ts';
import type { Authoring, CapFile, Schedule } from './authoring.ts';
import { durationMs } from './duration.ts';
import { formsOf, type ItemContext, type ItemFile, itemsOf, SCHEMA_PREFIX } from './items.ts';
import { timeZoneProblem } from './local-time.ts';
import { checkRulesOfPage, type PlaceFile, placeOf } from './places.ts';

/** activities/*.yaml after its schema has been checked. */
export interface ActivityFile extends Schedule, PlaceFile {
  readonly id: string;
  readonly name?: string;
  readonly org?: string;
  readonly enabled?: boolean;
  readonly kind?: ActivityDefinition['kind'];
  readonly datastreams?: readonly string[];
  readonly propertyToken?: string;
  readonly priority?: number;
  readonly group?: string;
  readonly when?: Json;
  readonly trafficPercent?: number;
  readonly holdoutPercent?: number;
  readonly bucketing?: ActivityDefinition['bucketing'];
  readonly bucketBy?: string;
  readonly requires?: Requirement;
  readonly caps?: readonly CapFile[];
  readonly meta?: Readonly<Record<string, string>>;
  readonly experiences: readonly ExperienceFile[];
  readonly goals?: readonly GoalFile[];
}
interface ExperienceFile extends ItemFile {
  readonly id: string;
  readonly name?: string;
  readonly weight?: number;
  readonly when?: Json;
  readonly items?: readonly ItemFile[];
}
interface GoalFile {
  readonly id: string;
  readonly name?: string;
  readonly when: Json;
  readonly within?: string;
  readonly count?: GoalDefinition['count'];
  readonly value?: string;
}

/** A week: what was seen longer ago had no part in it. Chosen. */
const GOAL_WINDOW = '7d';

/** `datastreams`: ids that the file's stand for, environments among them; null: all of the org. */
export function activityOf(authoring: Authoring, datastreams: readonly string[] | null): ActivityDefinition {
  const file = authoring.source.value as unknown as ActivityFile;
  const kind = file.kind ?? (file.experiences.some(({ when }) => when !== undefined) ? 'targeted' : 'ab');
  const schedule = authoring.schedule([], file);
  const experiences = experiencesOf(authoring, file, kind, schedule);
  checkPlaces(authoring, experiences);
  experiences.forEach(({ items }, index) => {
    checkRulesOfPage(authoring, ['experiences', index], items);
  });
  const isOnSurfaces = experiences.some(({ items }) => items.some(({ place }) => place.kind === 'surface'));
  return {
    id: file.id,
    name: file.name ?? file.id,
    enabled: file.enabled ?? true,
    kind,
    provider: isOnSurfaces ? 'AJO' : 'TGT',
    datastreams,
    propertyToken: file.propertyToken ?? null,
    ...schedule,
    priority: file.priority ?? 0,
    exclusionGroup: file.group ?? null,
    when: authoring.when(['when'], file.when),
    trafficPercent: file.trafficPercent ?? 100,
    holdoutPercent: file.holdoutPercent ?? 0,
    bucketing: file.bucketing ?? 'weir',
    bucketBy: file.bucketBy ?? 'ECID',
    requires: file.requires ?? PERSONALIZING,
    caps: authoring.caps(file.caps),
    experiences,
    goals: (file.goals ?? []).map((goal, index) => goalOf(authoring, goal, index)),
  };
}

function experiencesOf(
  authoring: Authoring,
  file: ActivityFile,
  kind: ActivityDefinition['kind'],
  schedule: { readonly startMs: number | null; readonly endMs: number | null },
): ExperienceDefinition[] {
  const place = placeOf(authoring, [], file);
  // One that is none was told of with the schedule.
  const timeZone = timeZoneProblem(file.timeZone ?? '') === null ? file.timeZone! : authoring.timeZone;
  const ids = new Set<string>();
  const experiences = file.experiences.map((experience, index): ExperienceDefinition => {
    const at: KeyPath = ['experiences', index];
    const { id, name = id, weight, when } = experience;
    unique(authoring, ids, id, [...at, 'id']);
    if (kind === 'ab' && when !== undefined)
      authoring.error(
        [...at, 'when'],
        "'when' is for kind: targeted; of an A/B test the weights decide. Remove it.",
        'key',
      );
    if (kind === 'targeted' && weight !== undefined)
      authoring.error(
        [...at, 'weight'],
        "'weight' is for kind: ab; here the first experience whose 'when' holds is shown. Remove it.",
        'key',
      );
    const context = {
      ...schedule,
      timeZone,
      idPrefix: `${file.id}:${id}:`,
      place: placeOf(authoring, at, experience) ?? place,
      meta: { ...tokens(file, id, name), ...file.meta },
    };
    return {
      id,
      name,
      weight: weight ?? 1,
      when: kind === 'targeted' ? authoring.when([...at, 'when'], when) : null,
      items: contentOf(authoring, at, experience, context),
    };
  });
  if (kind === 'ab' && experiences.every(({ weight }) => weight === 0))
    authoring.error(
      ['experiences'],
      'The weights of the experiences come to 0, so nobody would see any. Give one of them more.',
    );
  checkItemIds(authoring, experiences);
  return experiences.map((one) => (one.items.length > 0 ? one : withDefault(authoring, one, experiences, place, file)));
}

function contentOf(
  authoring: Authoring,
  at: KeyPath,
  experience: ExperienceFile,
  context: ItemContext,
): ItemDefinition[] {
  const { items } = experience;
  const own = contentIn(experience);
  const forms = formsOf(own);
  if (items === undefined) return forms.length === 0 ? [] : itemsOf(authoring, at, own, context, 1);
  if (forms.length > 0) {
    authoring.error(
      [...at, forms[0]!],
      `The experience has both '${forms[0]}' and 'items'. Put it into the list.`,
      'key',
    );
  }
  const all: ItemDefinition[] = [];
  items.forEach((item, index) => {
    all.push(...itemsOf(authoring, [...at, 'items', index], item, context, all.length + 1));
  });
  return all;
}

/** The id of an experience is not that of its content, and its place was read with it. */
function contentIn({ id: _id, scope: _scope, view: _view, surface: _surface, ...own }: ExperienceFile): ItemFile {
  return own;
}

/**
 * An experience without content shows what is there already, wherever others show something: so it is displayed, counted
 * and compared like them.
 */
function withDefault(
  authoring: Authoring,
  experience: ExperienceDefinition,
  others: readonly ExperienceDefinition[],
  place: Place | null,
  file: ActivityFile,
): ExperienceDefinition {
  const places = new Map<string, Place>();
  for (const { items } of others)
    for (const item of items) places.set(`${item.place.kind} ${item.place.name}`, item.place);
  if (places.size === 0 && place !== null) places.set('', place);
  const isTried = file.experiences.some((one) => one.items !== undefined || formsOf(contentIn(one)).length > 0);
  if (places.size === 0 && !isTried) {
    const index = others.findIndex(({ id }) => id === experience.id);
    authoring.warn(
      ['experiences', index],
      'No experience of this activity has content, so nobody sees anything of it.',
    );
  }
  const items = [...places.values()].map(
    (one, index): ItemDefinition => ({
      id: `${file.id}:${experience.id}:${index + 1}`,
      place: one,
      schema: `${SCHEMA_PREFIX}default-content-item`,
      data: null,
      meta: { ...tokens(file, experience.id, experience.name), ...file.meta },
      rank: null,
    }),
  );
  return { ...experience, items };
}

/** Told with every item, for analytics: the names that Target has for them. Braces in them are no templates. */
function tokens(file: ActivityFile, id: string, name: string): Record<string, string> {
  return {
    'activity.id': file.id,
    'activity.name': literally(file.name ?? file.id),
    'experience.id': id,
    'experience.name': literally(name),
  };
}

/** Clients take surfaces from one provider, scopes and views from another. Documented. */
function checkPlaces(authoring: Authoring, experiences: readonly ExperienceDefinition[]): void {
  const kinds = new Set(experiences.flatMap(({ items }) => items.map(({ place }) => place.kind)));
  if (!kinds.has('surface') || kinds.size === 1) return;
  authoring.error(
    ['experiences'],
    'The activity has content for surfaces and for scopes or views; clients take these from different activities. Make two of it.',
  );
}

function checkItemIds(authoring: Authoring, experiences: readonly ExperienceDefinition[]): void {
  const ids = new Set<string>();
  experiences.forEach(({ items }, index) => {
    for (const { id } of items) {
      if (ids.has(id)) {
        authoring.error(
          ['experiences', index],
          `The id '${id}' is that of two items of this activity. Give one of them another.`,
        );
      }
      ids.add(id);
    }
  });
}

function goalOf(authoring: Authoring, goal: GoalFile, index: number): GoalDefinition {
  const at: KeyPath = ['goals', index];
  const ids = new Set((authoring.source.value as unknown as ActivityFile).goals!.slice(0, index).map(({ id }) => id));
  unique(authoring, ids, goal.id, [...at, 'id']);
  const { value = null, count = value === null ? 'visitor' : 'sum' } = goal;
  if (count === 'sum' && value === null)
    authoring.error(
      at,
      "'count: sum' needs a 'value': the path of a number, as in: value: xdm.commerce.order.priceTotal",
    );
  if (count !== 'sum' && value !== null)
    authoring.error([...at, 'value'], `'value' is for count: sum; here it is ${count}. Remove one of the two.`, 'key');
  const names = value === null ? [] : factNamesOf(value);
  if (typeof names === 'string') authoring.error([...at, 'value'], names);
  return {
    id: goal.id,
    name: goal.name ?? goal.id,
    when: authoring.when([...at, 'when'], goal.when)!,
    windowMs: durationMs(goal.within ?? GOAL_WINDOW),
    count,
    value,
  };
}

function unique(authoring: Authoring, ids: Set<string>, id: string, path: KeyPath): void {
  if (ids.has(id)) authoring.error(path, `The id '${id}' stands in the list before. Give one of the two another id.`);
  ids.add(id);
}
