import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadWorkspace } from './config/workspace.ts';
import { previewSeal } from './decision-tools.ts';
import { findActivity, missingExperience } from './model/find-activity.ts';
import { PREVIEW_PARAMETER } from './stages/decision-preview.ts';
import { PREVIEWS_MAX, type Preview, previewTokens } from './stages/preview-seal.ts';

export type { Preview } from './stages/preview-seal.ts';

/** A link that shows an experience of a workspace, believed by the servers that have the keys of the data folder. */
export interface PreviewRequest {
  readonly workspace: string;
  readonly data: string;
  /** Of offers: `offerPlaceId`, and the ids of the offers with commas. */
  readonly activityId: string;
  readonly experienceId: string;
  /** Null: the one that has the activity. */
  readonly orgId: string | null;
  /** The page; null: the parameter alone. */
  readonly url: URL | null;
  /** Unix epoch, seconds. */
  readonly expiresAtSeconds: number;
}

/** Throws an error that says what to do where nothing has such an id, or no server has run with the data folder yet. */
export async function previewLink(request: PreviewRequest): Promise<string> {
  const { workspace: folder, data, activityId, experienceId, orgId, expiresAtSeconds } = request;
  if (!existsSync(data)) throw new Error(`There is no folder '${data}'. Start the server with it once.`);
  const loaded = await loadWorkspace(folder);
  if (!loaded.ok) throw new Error(`The workspace '${folder}' has errors: see 'weir check --workspace ${folder}'.`);
  const definitions = findActivity(loaded.workspace.decisions, activityId, orgId);
  const missing = missingExperience(definitions, activityId, experienceId);
  if (missing !== null) throw new Error(missing);
  const preview = { activityId, experienceId, expiresAtSeconds };
  const parameter = await previewParameter(data, loaded.options.decisions.keysFile, definitions.orgId, preview);
  return request.url === null ? parameter : linkOf(request.url, parameter.slice(PREVIEW_PARAMETER.length + 1));
}

/** `weir_preview`, with what it says signed by the keys of a data folder. Throws where it has none. */
export async function previewParameter(
  data: string,
  keysFile: string | null,
  orgId: string,
  preview: Preview,
): Promise<string> {
  const seal = await previewSeal(join(data, 'keys'), keysFile);
  if (seal === null) {
    throw new Error(`There are no keys in '${data}' to sign with. Start the server with it once, which makes them.`);
  }
  return `${PREVIEW_PARAMETER}=${seal.sign(orgId, preview)}`;
}

/** Previews that the page's address already has stay: one link can show experiences of several activities. */
function linkOf(url: URL, token: string): string {
  const link = new URL(url);
  const before = link.searchParams.get(PREVIEW_PARAMETER) ?? '';
  if (previewTokens(before).length === PREVIEWS_MAX) {
    throw new Error(`The address has ${PREVIEWS_MAX} previews already; a link has no more.`);
  }
  link.searchParams.set(PREVIEW_PARAMETER, before === '' ? token : `${before},${token}`);
  return link.href;
}
