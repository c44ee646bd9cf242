import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readdirIfThere, readFile } from './log/io.ts';
import { nodeFs } from './log/node-fs.ts';
import type { DecisionDefinitions } from './model/decision-definitions.ts';
import { guess } from './model/did-you-mean.ts';
import { activityIds } from './model/find-activity.ts';
import { parseJson } from './model/json.ts';

/** The definitions by which decisions were made: the server keeps each in DATA/decisions/<hash>.json before it is in force. */

const NAME = /^([0-9a-f]{16})\.json$/;

/** Reads what is kept, and what is asked for only. */
export class KeptDefinitions {
  readonly #folder: string;
  readonly #read = new Map<string, Promise<DecisionDefinitions | null>>();

  constructor(data: string) {
    this.#folder = join(data, 'decisions');
  }

  /** Null where they are not there. Throws for a file that is damaged. */
  of(hash: string): Promise<DecisionDefinitions | null> {
    let read = this.#read.get(hash);
    if (read === undefined) {
      read = this.#file(hash);
      this.#read.set(hash, read);
    }
    return read;
  }

  /** Those that came into force last, by org. */
  async latest(): Promise<ReadonlyMap<string, DecisionDefinitions>> {
    const dated = await Promise.all(
      (await this.#hashes()).map(async (hash) => ({
        hash,
        atMs: (await stat(join(this.#folder, `${hash}.json`))).mtimeMs,
      })),
    );
    dated.sort((a, b) => a.atMs - b.atMs || (a.hash < b.hash ? -1 : 1));
    const latest = new Map<string, DecisionDefinitions>();
    for (const { hash } of dated) {
      const definitions = await this.of(hash);
      if (definitions !== null) latest.set(definitions.orgId, definitions);
    }
    return latest;
  }

  /**
   * Throws where an activity stands in none of those that were ever in force, nor in `others`: a misspelt id would seem to have had
   * no decisions. Where none are kept it could be any.
   */
  async checkActivity(activityId: string, others: Iterable<DecisionDefinitions> = []): Promise<void> {
    const hashes = await this.#hashes();
    if (hashes.length === 0) return;
    const known = new Set([...others].flatMap(activityIds));
    for (const hash of hashes) {
      const definitions = await this.of(hash);
      if (definitions !== null) for (const id of activityIds(definitions)) known.add(id);
    }
    if (!known.has(activityId))
      throw new Error(`There is no activity '${activityId}'.${guess(activityId, [...known])}`);
  }

  async #hashes(): Promise<readonly string[]> {
    const names = (await readdirIfThere(nodeFs, this.#folder)) ?? [];
    return names.flatMap((name) => NAME.exec(name)?.[1] ?? []);
  }

  async #file(hash: string): Promise<DecisionDefinitions | null> {
    if (!NAME.test(`${hash}.json`)) return null;
    const path = join(this.#folder, `${hash}.json`);
    const bytes = await readFile(nodeFs, path);
    if (bytes === null) return null;
    try {
      return parseJson(bytes.toString()) as unknown as DecisionDefinitions;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new Error(`${path} is damaged: it is no JSON. Restore it from a backup of the data folder.`, {
        cause: error,
      });
    }
  }
}
