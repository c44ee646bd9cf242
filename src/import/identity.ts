import { isEcid, isFpid } from '../model/identity.ts';
import type { JsonObject } from '../model/json.ts';

/** A device that another system knew: its FPID, and the ECID that it had there. */
export interface Pair {
  readonly orgId: string;
  readonly fpid: string;
  readonly ecid: string;
}

/** `{fpid, ecid, org?}`; or why a row is none, without its values. `owner`: the org of rows that name none. */
export function pairOf(row: JsonObject, owner: string | null, orgs: ReadonlySet<string>): Pair | string {
  const { fpid, ecid } = row;
  const orgId = row['org'] ?? owner;
  if (typeof orgId !== 'string' || orgId === '') return "It has no 'org', and there is no --org.";
  if (!orgs.has(orgId)) return "Its 'org' has no datastream in this workspace.";
  if (typeof fpid !== 'string' || !isFpid(fpid)) return "Its 'fpid' is no version-4 UUID.";
  if (!isEcid(ecid)) return "Its 'ecid' has not 38 digits. In CSV from a spreadsheet: format the column as text.";
  return { orgId, fpid, ecid };
}
