import type { Decision, Outcome, StoredDecision, StoredInputs, Verdict } from './decision.ts';
import { jsonText } from './json.ts';
import { propositionJson } from './proposition-json.ts';
import { VerdictTexts } from './verdict-texts.ts';

const verdictTexts = new VerdictTexts();

/** What the log keeps of a decision that was just made. It is mostly written: as JSON, from texts that were made before. */
export class MadeDecision implements StoredDecision {
  readonly i: number;
  readonly h: string;
  readonly seed: string;
  readonly in: StoredInputs;
  readonly #decision: Decision;

  constructor(eventIndex: number, definitions: string, seed: string, inputs: StoredInputs, decision: Decision) {
    this.i = eventIndex;
    this.h = definitions;
    this.seed = seed;
    this.in = inputs;
    this.#decision = decision;
  }

  get v(): StoredDecision['v'] {
    return storedVerdicts(this.#decision);
  }

  get p(): StoredDecision['p'] {
    return storedPropositions(this.#decision);
  }

  get json(): string {
    const { verdicts, propositions } = this.#decision;
    const v = verdictTexts.join(verdicts);
    let p = '';
    for (let i = 0; i < propositions.length; i++) {
      if (i > 0) p += ',';
      p += propositionJson(propositions[i]!).stored;
    }
    const head = `"i":${this.i},"h":${jsonText(this.h)},"seed":"${this.seed}","in":${JSON.stringify(this.in)}`;
    return `{${head},"v":[${v}],"p":[${p}]}`;
  }
}

export function storedVerdicts({ verdicts }: Decision): StoredDecision['v'] {
  return verdicts.map(({ activityId, outcome, experienceId, bucket, marks, because }) => [
    ...([activityId, outcome, experienceId, bucket, marks, because] as const),
  ]);
}

export function storedPropositions({ propositions }: Decision): StoredDecision['p'] {
  return propositions.map(({ id, scope, activityId, experienceId, items }) => [
    ...([id, scope, activityId, experienceId, items.map((item) => String(item['id'] ?? ''))] as const),
  ]);
}

/** A verdict as the log keeps it. One of an audience says only whose and how: most of what a page asks for is refused so. */
type WrittenVerdict = StoredVerdict | readonly [activityId: string, marks: string];
type StoredVerdict = StoredDecision['v'][number];
export type WrittenDecision = Omit<StoredDecision, 'v'> & { readonly v: readonly WrittenVerdict[] };

export function verdictJson(verdict: Omit<Verdict, 'json' | 'isShared'>): string {
  const { activityId, outcome, experienceId, bucket, marks, because } = verdict;
  if (isShort(outcome, experienceId, bucket, because)) return JSON.stringify([activityId, marks]);
  const experience = experienceId === null ? 'null' : jsonText(experienceId);
  const why = because === null ? 'null' : jsonText(because);
  return `[${jsonText(activityId)},"${outcome}",${experience},${bucket},"${marks}",${why}]`;
}

function isShort(
  outcome: Outcome,
  experienceId: string | null,
  bucket: number | null,
  because: string | null,
): boolean {
  return outcome === 'audience' && experienceId === null && bucket === null && because === null;
}

/** The same of any, as it is read from the log or made by hand. */
export function decisionJson(decision: StoredDecision): string {
  if (decision.json !== undefined) return decision.json;
  const v = decision.v.map((verdict): WrittenVerdict => {
    const [activityId, outcome, experienceId, bucket, marks, because] = verdict;
    return isShort(outcome, experienceId, bucket, because) ? [activityId, marks] : verdict;
  });
  return JSON.stringify({ ...decision, v } satisfies WrittenDecision);
}

/** What was written, with all of its verdicts whole. Older records have no short ones. */
export function writtenDecision(written: WrittenDecision): StoredDecision {
  const v = written.v.map(
    (verdict): StoredVerdict =>
      verdict.length === 2 ? [verdict[0], 'audience', null, null, verdict[1], null] : verdict,
  );
  return { ...written, v };
}
