import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadWorkspace } from './config/workspace.ts';
import { previewSeal } from './decision-tools.ts';
import type { DecisionDefinitions } from './model/decision-definitions.ts';
import { guess } from './model/did-you-mean.ts';
import { findActivity } from './model/find-activity.ts';
import { OFFERS_JOINED_BY, offerPlaceId } from './model/offer-place.ts';
import { PREVIEW_PARAMETER } from './stages/decision-preview.ts';
import { PREVIEWS_MAX, previewTokens } from './stages/preview-seal.ts';

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
  requireExperience(definitions, activityId, experienceId);
  const seal = await previewSeal(join(data, 'keys'), loaded.options.decisions.keysFile);
  if (seal === null) {
    throw new Error(`There are no keys in '${data}' to sign with. Start the server with it once, which makes them.`);
  }
  return linkOf(request.url, seal.sign(definitions.orgId, { activityId, experienceId, expiresAtSeconds }));
}

/** Throws where the activity has no such experience; of a placement of an offer decision, one of the offers. */
function requireExperience(definitions: DecisionDefinitions, activityId: string, experienceId: string): void {
  const activity = definitions.activities.find(({ id }) => id === activityId);
  if (activity !== undefined) {
    requireOne(
      `The activity '${activityId}'`,
      'experience',
      experienceId,
      activity.experiences.map(({ id }) => id),
    );
    return;
  }
  const known = offersAt(definitions, activityId);
  for (const offer of experienceId.split(OFFERS_JOINED_BY)) {
    requireOne(`The placement '${activityId}'`, 'offer', offer, known);
  }
}

function requireOne(owner: string, kind: string, id: string, known: readonly string[]): void {
  if (!known.includes(id)) throw new Error(`${owner} has no ${kind} '${id}'.${guess(id, known)}`);
}

/** Those that are listed there, and the fallback: each has content for it, or the workspace has errors. */
function offersAt({ offers }: DecisionDefinitions, placeId: string): readonly string[] {
  return offers.decisions.flatMap((decision) =>
    decision.placements
      .filter(({ placementId }) => offerPlaceId(decision.id, placementId) === placeId)
      .flatMap(({ offers: listed, fallback }) => (fallback === null ? listed : [...listed, fallback])),
  );
}

/** Previews that the page's address already has stay: one link can show experiences of several activities. */
function linkOf(url: URL | null, token: string): string {
  if (url === null) return `${PREVIEW_PARAMETER}=${token}`;
  const link = new URL(url);
  const before = link.searchParams.get(PREVIEW_PARAMETER) ?? '';
  if (previewTokens(before).length === PREVIEWS_MAX) {
    throw new Error(`The address has ${PREVIEWS_MAX} previews already; a link has no more.`);
  }
  link.searchParams.set(PREVIEW_PARAMETER, before === '' ? token : `${before},${token}`);
  return link.href;
}
