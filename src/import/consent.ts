import type { Datastream } from '../model/datastream.ts';
import { isEcid } from '../model/identity.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../model/json.ts';

/** A visitor's choices as a set-consent brings them. */
export interface Choice {
  readonly datastream: Datastream;
  readonly ecid: string;
  readonly consent: readonly Json[];
}

/**
 * `{ecid, consent: [{standard, version, value}], datastream?}`, or one choice in columns: `{ecid, standard, version, value,
 * datastream?}`, its value as JSON or text. Or why a row is none. What the choices say is judged where they are taken.
 */
export function choiceOf(
  row: JsonObject,
  owner: string | null,
  datastreams: ReadonlyMap<string, Datastream>,
): Choice | string {
  const { ecid } = row;
  const id = row['datastream'] ?? owner;
  if (typeof id !== 'string' || id === '') return "It has no 'datastream', and there is no --datastream.";
  const datastream = datastreams.get(id);
  if (datastream === undefined) return "Its 'datastream' is not in this workspace.";
  if (!isEcid(ecid)) return "Its 'ecid' has not 38 digits. In CSV from a spreadsheet: format the column as text.";
  const consent = row['consent'] === undefined ? [inColumns(row)] : row['consent'];
  if (!Array.isArray(consent) || !consent.every(isObject)) return "Its 'consent' is no array of objects.";
  return { datastream, ecid, consent };
}

function inColumns({ standard = null, version = null, value = null }: JsonObject): JsonObject {
  return { standard, version, value: typeof value === 'string' && value.startsWith('{') ? parsed(value) : value };
}

function parsed(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    // Judged as the text that it is: the refusal names the field.
    return text;
  }
}
