import type { ActivityHistory, DecisionInput } from '../model/decision.ts';
import { DEVICE, namespaceFor } from '../model/decision-history.ts';
import { own } from '../model/json.ts';
import { type HashedText, hashed } from './draws.ts';

/** Whom a decision is about: ids by namespace, their hashes, and what is kept of them. Made for each decision; hashes when first asked. */
export class Visitor {
  readonly #input: DecisionInput;
  #device: HashedText | null = null;
  #others: Map<string, HashedText> | null = null;

  constructor(input: DecisionInput) {
    this.#input = input;
  }

  /** The id that decides for a namespace: the first of it, else the device's, else any, else one for this request alone. */
  idOf(namespace: string): string {
    const { ecid, identities, seed } = this.#input;
    return this.#ownId(namespace) ?? ecid ?? (identities.find(({ primary }) => primary) ?? identities[0])?.id ?? seed;
  }

  hashOf(namespace: string): HashedText {
    if (namespace === DEVICE) {
      this.#device ??= hashed(this.idOf(DEVICE));
      return this.#device;
    }
    this.#others ??= new Map();
    let hash = this.#others.get(namespace);
    if (hash === undefined) {
      hash = hashed(this.idOf(namespace));
      this.#others.set(namespace, hash);
    }
    return hash;
  }

  /** Seconds at which an activity or offer was displayed, to whom caps of the namespace are about. */
  shownOf(id: string, namespace: string): readonly number[] {
    const { ecid, identities } = this.#input;
    return this.#historyOf(id, namespaceFor(namespace, ecid, identities))?.shown ?? NONE;
  }

  /** The experience that whoever has an id of the namespace keeps; null: none, or nobody has. */
  keptBy(namespace: string, activityId: string): string | null {
    return this.#historyOf(activityId, namespace)?.experience ?? null;
  }

  /** Whether the event names somebody of the namespace. */
  names(namespace: string): boolean {
    return this.#ownId(namespace) !== null;
  }

  #ownId(namespace: string): string | null {
    if (namespace === DEVICE) return this.#input.ecid;
    for (const identity of this.#input.identities) if (identity.namespace === namespace) return identity.id;
    return null;
  }

  #historyOf(id: string, namespace: string): ActivityHistory | undefined {
    const history = this.#input.histories.get(namespace);
    return history === undefined ? undefined : own(history, id);
  }
}

const NONE: readonly number[] = [];
