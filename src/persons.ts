import type { AuditLog } from './admin/audit-log.ts';
import type { Exclusively } from './admin/token-store.ts';
import { exportOf } from './erasing/person-export.ts';
import type { Progress } from './erasures.ts';
import { isEcid } from './model/identity.ts';
import type { Namespace } from './model/identity-rules.ts';
import type { Json, JsonObject } from './model/json.ts';
import { idsOfPerson, type OwnId } from './model/person-ids.ts';
import type { Storage } from './storage.ts';

/** Erasing and exporting a person, with the entry in the audit log: what the admin plane and the command line have in common. */
export interface PersonDeps {
  readonly storage: Storage;
  readonly audit: AuditLog;
  readonly exclusively: Exclusively;
}

export interface AskedPerson {
  readonly orgId: string;
  readonly given: OwnId;
  /** What is known of the org's namespaces. */
  readonly namespaces: ReadonlyMap<string, Namespace>;
  /** Who asks, for the audit log. */
  readonly who: JsonObject;
}

/** How long one waits for a pass: that of a large log takes hours. It goes on, and whoever asks later learns what became of it. */
export interface Patience {
  readonly waitMs: number;
  /** Told of a pass that failed when nobody waited any more. */
  readonly report: (error: Error) => void;
}

async function within({ waitMs, report }: Patience, pass: Promise<unknown>): Promise<void> {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      isOver = true;
      resolve();
    }, waitMs);
  });
  const passed = pass.then(
    () => clearTimeout(timer),
    (error: Error) => {
      clearTimeout(timer);
      if (!isOver) throw error;
      report(error);
    },
  );
  await Promise.race([passed, over]);
}

/**
 * Erases. The entry stands in the audit log before, and names the person by digest only; an erasure that failed is entered too.
 * Resolves when nobody is shown the person any more, or with `carriesOut`, when nothing of them is left on the disk, as far as
 * that is within one's patience.
 */
export async function erasePerson(
  { storage, audit, exclusively }: PersonDeps,
  { orgId, given, namespaces, who }: AskedPerson,
  carriesOut: boolean,
  patience: Patience | null = null,
): Promise<Json> {
  const { erasures, state, duplicates } = storage;
  const ids = await idsOfPerson((key) => state.get(key), orgId, given, namespaces);
  const erasure = erasures.prepare(orgId, ids);
  const details = { erasure: erasure.id, org: orgId, subject: erasure.digests[0]!, ids: ids.length };
  await exclusively(() => audit.append({ what: 'person.erased', who, details }));
  try {
    const position = await erasures.erase(erasure);
    const ecids = ids.filter(({ namespace, id }) => namespace === 'ECID' && isEcid(id));
    duplicates.forgetVisitors(
      ecids.map(({ id }) => id),
      position,
    );
  } catch (error) {
    const why = (error as Error).message;
    await exclusively(() => audit.append({ what: 'person.not-erased', who, details: { erasure: erasure.id, why } }));
    throw error;
  }
  if (carriesOut) await (patience === null ? erasures.carryOut() : within(patience, erasures.carryOut()));
  return shownErasure((await erasures.find(erasure.id))!);
}

export function shownErasure(progress: Progress): Json {
  if (progress.isDone) return { status: 'done', receipt: progress.receipt as unknown as Json };
  const { erasure, org, position, isUnderWay } = progress;
  return { status: 'hidden', erasure, org, position, isUnderWay };
}

/** The person's data; see erasing/person-export.ts. Entered in the audit log first. */
export async function exportPerson(
  { storage, audit, exclusively }: PersonDeps,
  { orgId, given, namespaces, who }: AskedPerson,
): Promise<AsyncIterable<string>> {
  const { state, log, erasures } = storage;
  const read = (key: string) => state.get(key);
  const ids = await idsOfPerson(read, orgId, given, namespaces);
  const [subject] = erasures.prepare(orgId, [given]).digests;
  await exclusively(() => audit.append({ what: 'person.exported', who, details: { org: orgId, subject: subject! } }));
  return exportOf({ orgId, ids, state: read, log: log.readWithProofs(new AbortController().signal) });
}
