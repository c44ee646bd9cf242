import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadWorkspace } from './config/workspace.ts';
import { previewSeal } from './decision-tools.ts';
import type { ActivityDefinition, DecisionDefinitions } from './model/decision-definitions.ts';
import { guess } from './model/did-you-mean.ts';
import { PREVIEW_PARAMETER } from './stages/decision-preview.ts';
import { PREVIEWS_MAX, previewTokens } from './stages/preview-seal.ts';

/** A link that shows an experience of a workspace, believed by the servers that have the keys of the data folder. */
export interface PreviewRequest {
  readonly workspace: string;
  readonly data: string;
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
  const found = activityIn(loaded.workspace.decisions, activityId, orgId);
  const experiences = found.activity.experiences.map(({ id }) => id);
  if (!experiences.includes(experienceId)) {
    throw new Error(
      `The activity '${activityId}' has no experience '${experienceId}'.${guess(experienceId, experiences)}`,
    );
  }
  const seal = await previewSeal(join(data, 'keys'), loaded.options.decisions.keysFile);
  if (seal === null) {
    throw new Error(`There are no keys in '${data}' to sign with. Start the server with it once, which makes them.`);
  }
  return linkOf(request.url, seal.sign(found.orgId, { activityId, experienceId, expiresAtSeconds }));
}

function activityIn(
  all: ReadonlyMap<string, DecisionDefinitions>,
  activityId: string,
  orgId: string | null,
): { readonly orgId: string; readonly activity: ActivityDefinition } {
  if (orgId !== null && !all.has(orgId)) {
    throw new Error(`The org '${orgId}' has no activities.${guess(orgId, [...all.keys()])}`);
  }
  const asked = [...all.values()].filter((one) => orgId === null || one.orgId === orgId);
  const having = asked.flatMap((one) =>
    one.activities.filter(({ id }) => id === activityId).map((activity) => ({ orgId: one.orgId, activity })),
  );
  if (having.length > 1) {
    const orgs = having.map((one) => `'${one.orgId}'`).join(', ');
    throw new Error(`Several orgs have an activity '${activityId}': ${orgs}. Say which with --org.`);
  }
  if (having.length === 1) return having[0]!;
  const where = orgId === null ? '' : ` of '${orgId}'`;
  const known = new Set(asked.flatMap(({ activities }) => activities.map(({ id }) => id)));
  throw new Error(`There is no activity '${activityId}'${where}.${guess(activityId, [...known])}`);
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
