import { type Flip, flips, leavesOf } from '../decisions/flips.ts';
import { type DecisionInput, HELD_OUT, type StoredDecision } from '../model/decision.ts';
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

function verdictLines({ decider, input }: Recorded, verdict: StoredDecision['v'][number]): readonly string[] {
  const [id, outcome, experienceId, bucket, marks, because] = verdict;
  if (decider === null) return [`'${id}': ${briefly(outcome, experienceId)}`];
  const { definitions, engine } = decider;
  const activity = definitions.activities.find((one) => one.id === id);
  const lines = [activityWords(definitions, id), `  ${outcomeWords(definitions, id, outcome, experienceId, because)}`];
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
