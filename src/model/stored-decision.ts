import type { Decision, StoredDecision, StoredInputs, Verdict } from './decision.ts';
import { jsonText } from './json.ts';
import { propositionJson } from './proposition-json.ts';

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
    let v = '';
    for (const { json } of verdicts) v += v === '' ? json : `,${json}`;
    let p = '';
    for (const proposition of propositions) {
      const { stored } = propositionJson(proposition);
      p += p === '' ? stored : `,${stored}`;
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

/** A verdict as the log keeps it. */
export function verdictJson(verdict: Omit<Verdict, 'json'>): string {
  const { activityId, outcome, experienceId, bucket, marks, because } = verdict;
  const experience = experienceId === null ? 'null' : jsonText(experienceId);
  const why = because === null ? 'null' : jsonText(because);
  return `[${jsonText(activityId)},"${outcome}",${experience},${bucket},"${marks}",${why}]`;
}
