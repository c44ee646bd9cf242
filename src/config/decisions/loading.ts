import type { Datastream } from '../../model/datastream.ts';
import type { ActivityDefinition, DecisionDefinitions } from '../../model/decision-definitions.ts';
import { isObject, quoted } from '../../model/json.ts';
import type { ServiceName } from '../../model/services.ts';
import type { OrgIdentities } from '../identity-rules.ts';
import { named } from '../schema-findings.ts';
import type { Source } from '../source.ts';
import type { WorkspaceFiles } from '../workspace-files.ts';
import type { Authoring } from './authoring.ts';
import { Contents } from './contents.ts';
import { OrgDefinitions } from './definitions.ts';
import type { OrgDecisions } from './options.ts';

export interface DecisionsDeps {
  readonly files: WorkspaceFiles;
  readonly datastreams: ReadonlyMap<string, Datastream>;
  readonly identities: OrgIdentities;
  readonly optionsOf: (orgId: string) => OrgDecisions;
}

/** Reads audiences, activities and offers: what each org decides by. */
export class DecisionsLoading {
  readonly #deps: DecisionsDeps;
  readonly #contents: Contents;
  readonly #orgs = new Map<string, OrgDefinitions>();

  constructor(deps: DecisionsDeps) {
    this.#deps = deps;
    this.#contents = new Contents(deps.files.folder, deps.files.addToHash);
  }

  /** By org, of those that have any. */
  async load(): Promise<ReadonlyMap<string, DecisionDefinitions>> {
    const { files } = this.#deps;
    await files.read('audiences', 'audience', null, (source) => {
      const org = this.#orgOf(source);
      if (org !== null) org.definitions.addAudience(org.definitions.authoring(source));
    });
    await files.read('activities', 'activity', null, (source) => {
      const org = this.#orgOf(source);
      if (org !== null) this.#addActivity(org, source);
    });
    await files.read('offers', 'offers', null, (source) => {
      const org = this.#orgOf(source);
      if (org === null) return;
      const authoring = org.definitions.authoring(source);
      org.definitions.addOffers(authoring);
      this.#warnOfServices(authoring, org.id, null, ['offers']);
    });
    return new Map([...this.#orgs].map(([id, definitions]) => [id, definitions.finish()]));
  }

  #addActivity({ id, definitions }: Org, source: Source): void {
    const authoring = definitions.authoring(source);
    const datastreams = this.#datastreamsOf(authoring, id);
    const activity = definitions.addActivity(authoring, datastreams);
    const known = this.#deps.identities.namespacesOf(id);
    if (this.#deps.identities.isComplete && !known.has(activity.bucketBy)) {
      const message = `'bucketBy' is ${quoted(activity.bucketBy)}, which is no namespace of this org. Known: ${[...known.keys()].join(', ')}.`;
      authoring.error(['bucketBy'], message);
    }
    this.#warnOfServices(authoring, id, datastreams, [serviceOf(activity)]);
  }

  /** Its own, else the only one that there is. */
  #orgOf(source: Source): Org | null {
    const { datastreams, files, optionsOf } = this.#deps;
    const value = isObject(source.value) ? source.value['org'] : undefined;
    const orgs = [...new Set([...datastreams.values()].map(({ orgId }) => orgId))];
    const id = typeof value === 'string' ? value : orgs.length === 1 ? orgs[0]! : null;
    if (id === null) {
      // Without any datastream there is a warning of that already.
      const message = `The key 'org' is missing in the file. There are datastreams of ${orgs.length} orgs, so it says of which this is: ${orgs.join(', ')}.`;
      if (orgs.length > 0) files.findings.push(source.error([], message));
      return null;
    }
    if (!orgs.includes(id) && orgs.length > 0) {
      const message = `No datastream is of the org ${quoted(id)}, so nobody gets to see it. Datastreams are of: ${orgs.join(', ')}.`;
      files.findings.push(source.warning(['org'], message));
    }
    let definitions = this.#orgs.get(id);
    if (definitions === undefined) {
      definitions = new OrgDefinitions(id, optionsOf(id), this.#contents, files.findings);
      this.#orgs.set(id, definitions);
    }
    return { id, definitions };
  }

  /** A datastream stands for its environments too; null: all of the org. */
  #datastreamsOf(authoring: Authoring, orgId: string): readonly string[] | null {
    const { value } = authoring.source;
    const names = isObject(value) ? value['datastreams'] : undefined;
    if (!Array.isArray(names)) return null;
    const all = [...this.#deps.datastreams.values()].filter((one) => one.orgId === orgId).map(({ id }) => id);
    return names.flatMap((name, index) => {
      const found = all.filter((id) => id === name || id.startsWith(`${String(name)}:`));
      if (found.length === 0) {
        const path = ['datastreams', index];
        authoring.error(
          path,
          `${named(path)} is ${quoted(name)}, which is no datastream of this org. Known: ${all.join(', ')}.`,
        );
      }
      return found;
    });
  }

  /** Where the service is off, nothing of it is seen. */
  #warnOfServices(
    authoring: Authoring,
    orgId: string,
    ids: readonly string[] | null,
    services: readonly ServiceName[],
  ): void {
    const { datastreams } = this.#deps;
    const all = [...datastreams.values()].filter((one) => one.orgId === orgId);
    for (const service of services) {
      const off = all.filter((one) => (ids === null || ids.includes(one.id)) && !one.services.has(service));
      // Without a list, one where it is on is enough.
      if (off.length === 0 || (ids === null && off.length < all.length)) continue;
      const names = off.map(({ id }) => `'${id}'`).join(', ');
      const message = `The service '${service}' is off in ${names}, so nothing of this is seen there. Enable it in the datastream's file, or take the datastream out.`;
      authoring.warn(ids === null ? [] : ['datastreams'], message);
    }
  }
}

interface Org {
  readonly id: string;
  readonly definitions: OrgDefinitions;
}

function serviceOf({ provider }: ActivityDefinition): ServiceName {
  return provider === 'AJO' ? 'messages' : 'decisions';
}
