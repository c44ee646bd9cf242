import { createHash } from 'node:crypto';
import type {
  ActivityDefinition,
  AudienceDefinition,
  DecisionDefinitions,
  PushDefinition,
} from '../../model/decision-definitions.ts';
import { canonicalJson, type Json } from '../../model/json.ts';
import type { Finding } from '../finding.ts';
import { activityOf } from './activities.ts';
import { audienceOf } from './audiences.ts';
import { Authoring, type WrittenCondition } from './authoring.ts';
import { conditionFindings, type WrittenAudience } from './conditions.ts';
import type { Contents } from './contents.ts';
import { type Mention, Offers } from './offers.ts';
import type { OrgDecisions } from './options.ts';

/** Enough of SHA-256 to tell two states of an org's definitions apart. */
const HASH_DIGITS = 16;

/** What the files of a workspace say of one org's decisions, gathered file by file. */
export class OrgDefinitions {
  readonly #orgId: string;
  readonly #options: OrgDecisions;
  readonly #contents: Contents;
  readonly #findings: Finding[];
  readonly #audiences: AudienceDefinition[] = [];
  readonly #writtenAudiences: WrittenAudience[] = [];
  readonly #activities: { readonly definition: ActivityDefinition; readonly authoring: Authoring }[] = [];
  readonly #offers = new Offers();
  readonly #pushes: PushDefinition[] = [];
  readonly #conditions: WrittenCondition[] = [];

  constructor(orgId: string, options: OrgDecisions, contents: Contents, findings: Finding[]) {
    this.#orgId = orgId;
    this.#options = options;
    this.#contents = contents;
    this.#findings = findings;
  }

  authoring(source: Authoring['source']): Authoring {
    return new Authoring(source, this.#options.timeZone, {
      contents: this.#contents,
      conditions: this.#conditions,
      findings: this.#findings,
    });
  }

  addAudience(authoring: Authoring): void {
    const { definition, pushes } = audienceOf(authoring);
    const first = this.#writtenAudiences.find(({ id }) => id === definition.id);
    if (first !== undefined) this.#taken(definition.id, first.source, ['id'], authoring.source, ['id']);
    this.#audiences.push(definition);
    this.#writtenAudiences.push({
      id: definition.id,
      source: authoring.source,
      path: ['when'],
      rule: definition.when,
    });
    this.#pushes.push(...pushes);
  }

  addActivity(authoring: Authoring, datastreams: readonly string[] | null): ActivityDefinition {
    const definition = activityOf(authoring, datastreams);
    this.#activities.push({ definition, authoring });
    if (definition.bucketing === 'target' && this.#options.targetClient === '')
      authoring.error(
        ['bucketing'],
        "'bucketing: target' makes the buckets of Adobe Target, which depend on the client code. Set 'decisions.targetClient' in weir.yaml.",
      );
    return definition;
  }

  addOffers(authoring: Authoring): void {
    this.#offers.add(authoring);
  }

  /** Everything that the files say, checked against each other; what is wrong goes to the findings. */
  finish(): DecisionDefinitions {
    const offers = this.#offers.definitions();
    this.#checkIds();
    this.#findings.push(...conditionFindings(this.#writtenAudiences, this.#conditions));
    const whole = {
      orgId: this.#orgId,
      ...this.#options,
      audiences: sorted(this.#audiences),
      activities: sorted(this.#activities.map(({ definition }) => definition)),
      offers,
      pushes: this.#pushes,
    };
    const hash = createHash('sha256')
      .update(canonicalJson(whole as unknown as Json))
      .digest('hex');
    return { ...whole, hash: hash.slice(0, HASH_DIGITS) };
  }

  /** Activities, offers and decisions of offers have one history: each id is of one of them. */
  #checkIds(): void {
    const activities = this.#activities.map(
      ({ definition, authoring }): Mention => ({ id: definition.id, source: authoring.source, path: ['id'] }),
    );
    const first = new Map<string, Mention>();
    for (const mention of [...activities, ...this.#offers.ids()]) {
      const known = first.get(mention.id);
      if (known === undefined) first.set(mention.id, mention);
      else this.#taken(mention.id, known.source, known.path, mention.source, mention.path);
    }
  }

  #taken(
    id: string,
    first: Authoring['source'],
    at: Mention['path'],
    second: Authoring['source'],
    path: Mention['path'],
  ): void {
    const { line, column } = first.place(at);
    const where = `${first.file}:${line}:${column}`;
    this.#findings.push(second.error(path, `The id '${id}' is taken by ${where}. Give one of the two another id.`));
  }
}

/** By id: the names of files decide nothing. */
function sorted<T extends { readonly id: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
