import { type Flip, flips, leavesOf } from '../decisions/flips.ts';
import { Visitor } from '../decisions/visitor.ts';
import { type DecisionInput, HELD_OUT, type StoredDecision } from '../model/decision.ts';
import type { ActivityDefinition } from '../model/decision-definitions.ts';
import { DEVICE } from '../model/decision-history.ts';
import { OFFERS_JOINED_BY } from '../model/offer-place.ts';
import type { LogRecord, StoredEvent } from '../model/record.ts';
import { type Decider, ecidOf, type Lack } from '../replays/recompute.ts';
import { bucketLines } from './buckets.ts';
import { activityWords, briefly, experienceWords, outcomeWords } from './words.ts';

/** A recorded decision, with what is there of what it was made of. */
export interface Recorded {
  readonly position: string;
  readonly record: LogRecord;
  readonly decision: StoredDecision;
  /** Null where the definitions are not there. */
  readonly decider: Decider | null;
  readonly input: DecisionInput | Lack;
}

/** Rules that are named one by one, of those whose outcome would have changed something. */
const FLIPS_MAX = 10;

/** In plain words: what was asked, what was shown, and of each activity why or why not. `activityId`: only this one. */
export function explain(recorded: Recorded, activityId: string | null): string {
  const { decision, decider } = recorded;
  const verdicts = decision.v.filter(([id]) => activityId === null || id === activityId);
  const lines = [...headLines(recorded), '', ...shownLines(recorded)];
  if (decider === null) {
    lines.push('', `The definitions ${decision.h} are not in the data folder: more than the outcomes is not known.`);
  }
  if (verdicts.length === 0) {
    lines.push(
      '',
      activityId === null
        ? 'No activity has content for what was asked.'
        : `The activity '${activityId}' was not asked for: it has no content for these scopes and surfaces, is not enabled, or is of other datastreams.`,
    );
  }
  for (const verdict of verdicts) lines.push('', ...verdictLines(recorded, verdict));
  if (typeof recorded.input === 'string' && decider !== null) {
    lines.push('', `Which rules would have changed it is not known: ${LACKING[recorded.input]}.`);
  }
  return `${lines.join('\n')}\n`;
}

const LACKING: Readonly<Record<Lack, string>> = {
  person: 'what was known of the visitor then is no longer in the log',
  event: 'its event was taken out of the log',
  client: 'facts of the client that the definitions look at were not kept with it',
  definitions: 'the definitions that it was made by are not in the data folder',
};

function headLines({ position, record, decision, input }: Recorded): readonly string[] {
  const event = record.events.find(({ index }) => index === decision.i);
  const visitor = event === undefined ? record.ecid : ecidOf(record, event);
  const at = new Date(record.atMs).toISOString();
  return [
    `Request ${record.requestId}, event ${decision.i}, at ${at} (position ${position}), to '${record.datastreamId}' of ${record.orgId}`,
    `Visitor ${visitor ?? 'without a device id'}${decision.in.bot === true ? ', a bot' : ''}`,
    ...nobodyLines(decision, event),
    ...(typeof input === 'string' ? [] : askedLines(input)),
    `Decided by the definitions ${decision.h}`,
  ];
}

function nobodyLines({ in: { nobodies = [] } }: StoredDecision, event: StoredEvent | undefined): readonly string[] {
  const namespaces = new Set(nobodies.flatMap((index) => event?.identities[index]?.namespace ?? []));
  return namespaces.size === 0 ? [] : [`Ids that stand for nobody decided nothing: of ${[...namespaces].join(', ')}`];
}

function askedLines({ query: { scopes, surfaces, schemas } }: DecisionInput): readonly string[] {
  const asked = [
    ...(scopes.length === 0 ? [] : [`the scopes ${scopes.join(', ')}`]),
    ...(surfaces.length === 0 ? [] : [`the surfaces ${surfaces.join(', ')}`]),
  ];
  const of = schemas === null ? 'of any schema' : `of the schemas ${[...schemas].map(shortSchema).join(', ')}`;
  return [`Asked for ${asked.length === 0 ? 'nothing by name' : asked.join(' and ')}, ${of}`];
}

/** Its last parts, which tell them apart. */
function shortSchema(schema: string): string {
  return schema.split('/').slice(4).join('/') || schema;
}

function shownLines({ decision: { p }, decider }: Recorded): readonly string[] {
  if (p.length === 0) return ['Nothing was shown.'];
  return p.map(([, scope, activityId, experienceId, items]) => {
    const shown = experienceId === HELD_OUT ? items.join(OFFERS_JOINED_BY) : experienceId;
    const experience = decider === null ? `'${shown}'` : experienceWords(decider.definitions, activityId, shown);
    const activity = decider === null ? `'${activityId}'` : activityWords(decider.definitions, activityId);
    return `At ${scope}: ${experience} of ${activity}${items.length === 0 ? '' : `, ${items.length} ${items.length === 1 ? 'item' : 'items'}`}`;
  });
}

function verdictLines({ decider, input, decision }: Recorded, verdict: StoredDecision['v'][number]): readonly string[] {
  const [id, outcome, experienceId, bucket, marks, because] = verdict;
  if (decider === null) return [`'${id}': ${briefly(outcome, experienceId)}`];
  const { definitions, engine } = decider;
  const previews = decision.in.preview;
  const activity = definitions.activities.find((one) => one.id === id);
  const kept = activity === undefined || typeof input === 'string' ? null : keptWords(activity, input, verdict);
  const lines = [
    activityWords(definitions, id),
    `  ${kept?.instead ?? outcomeWords(definitions, id, outcome, experienceId, because, previews)}`,
    ...(kept?.beside === undefined ? [] : [`  ${kept.beside}`]),
  ];
  for (const [index, leaf] of leavesOf(engine, id).entries()) {
    lines.push(`  ${(MARK_WORDS[marks[index] ?? '-'] ?? '').padEnd(MARK_WIDTH)}${leaf.text}`);
  }
  if (bucket !== null && activity !== undefined) {
    for (const line of bucketLines(definitions, activity, experienceId, bucket)) lines.push(`  ${line}`);
  }
  // More time would have: what became of it then, no rule changed.
  if (typeof input === 'string' || outcome === 'out-of-time') return lines;
  const changing = flips(engine, input, id);
  for (const flip of changing.slice(0, FLIPS_MAX)) lines.push(`  ${flipWords(decider, id, flip)}`);
  if (changing.length > FLIPS_MAX) lines.push(`  … and ${changing.length - FLIPS_MAX} rules more.`);
  if (changing.length === 0 && marks !== '') lines.push('  No single rule would have changed this by itself.');
  return lines;
}

/** Of what a device or a person keeps from before, when nothing is drawn. */
function keptWords(
  activity: ActivityDefinition,
  input: DecisionInput,
  [, outcome, experienceId, bucket]: StoredDecision['v'][number],
): { readonly instead?: string; readonly beside?: string } {
  if (activity.kind !== 'ab' || activity.bucketBy === DEVICE || outcome === 'preview') return {};
  const visitor = new Visitor(input);
  const isKeptOut = [DEVICE, activity.bucketBy].some((who) => visitor.keptBy(who, activity.id) === HELD_OUT);
  if (outcome === 'holdout' && isKeptOut) {
    return { instead: 'Not shown: the visitor was held out to compare with on an earlier visit, and stays so.' };
  }
  if (experienceId === null || bucket !== null) return {};
  return {
    beside: `Kept from an earlier visit, of the device or of the id in ${activity.bucketBy}: nothing was drawn.`,
  };
}

const MARK_WORDS: Readonly<Record<string, string>> = {
  '1': 'yes',
  '0': 'no',
  '-': 'not looked at',
  '!': 'of wrong types',
};
const MARK_WIDTH = 16;

function flipWords({ definitions }: Decider, activityId: string, { leaf, held, outcome, experienceId }: Flip): string {
  const experience = experienceId === null ? null : experienceWords(definitions, activityId, experienceId);
  return `Had it been ${held ? 'no' : 'yes'} to "${leaf.text}": ${briefly(outcome, experience)}.`;
}
