import type { Datastream, Workspace } from '../model/datastream.ts';
import { problem } from '../model/problem.ts';
import type { Query } from './query.ts';

/**
 * The id that a request names. v2 calls the parameter `datastreamId` (documents also spell it `dataStreamId` and
 * `configId`), v1 `configId`.
 */
function datastreamIdOf(path: string, query: Query): string | null {
  return isV2(path) ? (query.datastreamId ?? query.dataStreamId ?? query.configId) : query.configId;
}

function isV2(path: string): boolean {
  return path.startsWith('/v2/');
}

/** The datastream whose rules hold for an answer, whatever comes of the request; null where it names none that exists. */
export function namedDatastream(workspace: Workspace, path: string, query: Query): Datastream | null {
  return workspace.datastreams.get(datastreamIdOf(path, query) ?? '') ?? null;
}

/** The datastream that takes the request. Throws 0002, 0003, 0004. */
export function findDatastream(workspace: Workspace, path: string, query: Query): Datastream {
  const datastream = existingDatastream(workspace, path, query, null);
  if (!datastream.enabled) {
    const { id } = datastream;
    throw problem(
      'EXEG-0004-422',
      `The datastream '${id}' is disabled. Set 'enabled: true' in its file, or send to another one.`,
    );
  }
  return datastream;
}

/**
 * The datastream that the request names. `orgId`: of whom the request is; null where nobody was asked. Throws 0002, and
 * 0003 for one of another org as for one that does not exist.
 */
export function existingDatastream(workspace: Workspace, path: string, query: Query, orgId: string | null): Datastream {
  const id = datastreamIdOf(path, query);
  if (id === null || id === '') throw missing(isV2(path), query);
  const datastream = workspace.datastreams.get(id);
  if (datastream === undefined || (orgId !== null && datastream.orgId !== orgId)) throw unknown(id);
  return datastream;
}

function missing(v2: boolean, query: Query) {
  const name = v2 ? 'datastreamId' : 'configId';
  return problem(
    'EXEG-0002-400',
    `The query parameter '${name}' is missing${found(v2, query)}. Add ?${name}=<id of a datastream>.`,
  );
}

function found(v2: boolean, { datastreamId, dataStreamId, misspelt }: Query): string {
  if (!v2 && (datastreamId ?? dataStreamId) !== null) return ' (there is a datastreamId: v1 calls it configId)';
  return misspelt === null ? '' : ` (there is a '${misspelt}')`;
}

/** Documents print {DATASTREAM_ID}, <DATASTREAM_ID>, YOUR_DATASTREAM_ID …: copied as they stand, they are still an id to fill in. */
const PLACEHOLDER = /^[{<[].*[}>\]]$|^\$|^%7B|YOUR[_-]|^DATASTREAM_?ID$/i;
/** Long enough to recognise an id, short enough for an error. */
const QUOTED_CHARACTERS_MAX = 80;

function unknown(id: string) {
  const shown = id.length <= QUOTED_CHARACTERS_MAX ? id : `${id.slice(0, QUOTED_CHARACTERS_MAX)}…`;
  const hint = PLACEHOLDER.test(id)
    ? 'That looks like a placeholder from an example: put the id of one of your datastreams there.'
    : 'Check the id, or add a datastream with it to the workspace.';
  return problem('EXEG-0003-400', `There is no datastream with the id '${shown}'. ${hint}`);
}
