import type {
  OfferDecisionDefinition,
  OfferDefinition,
  PlacementDefinition,
} from '../../model/decision-definitions.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import { named } from '../schema-findings.ts';
import type { KeyPath, Source } from '../source.ts';
import type { Authoring, CapFile, Schedule } from './authoring.ts';
import { checkTemplates } from './items.ts';

/** offers/*.yaml after its schema has been checked. */
export interface OffersFile {
  readonly org?: string;
  readonly placements?: readonly { readonly id: string; readonly name?: string; readonly type: ComponentType }[];
  readonly offers?: readonly OfferFile[];
  readonly decisions?: readonly OfferDecisionFile[];
}
interface OfferFile extends Schedule {
  readonly id: string;
  readonly name?: string;
  readonly priority?: number;
  readonly when?: Json;
  readonly caps?: readonly CapFile[];
  readonly content: Readonly<Record<string, string | ContentFile>>;
}
interface ContentFile {
  readonly content?: Json;
  readonly file?: string;
  readonly url?: string;
  readonly format?: string;
  readonly language?: readonly string[];
  readonly characteristics?: Readonly<Record<string, string>>;
}
interface OfferDecisionFile extends Schedule {
  readonly id: string;
  readonly name?: string;
  readonly placements: readonly {
    readonly placement: string;
    readonly offers: readonly string[];
    readonly fallback?: string;
  }[];
}

type ComponentType = 'html' | 'json' | 'text' | 'image';
/** Documented; the format of images is chosen. */
const COMPONENTS: Readonly<Record<ComponentType, readonly [component: string, format: string]>> = {
  html: ['content-component-html', 'text/html'],
  json: ['content-component-json', 'application/json'],
  text: ['content-component-text', 'text/plain'],
  image: ['content-component-imagelink', 'image/png'],
};
const COMPONENT_PREFIX = 'https://ns.adobe.com/experience/offer-management/';

/** Where something stands that others name, or that names others. */
export interface Mention {
  readonly id: string;
  readonly source: Source;
  readonly path: KeyPath;
}

/** What the files of one org say of offers. They name each other across files, so names are checked when all are read. */
export class Offers {
  readonly #files: Authoring[] = [];

  add(authoring: Authoring): void {
    this.#files.push(authoring);
  }

  /** Ids that stand beside those of activities. */
  ids(): readonly Mention[] {
    return this.#files.flatMap(({ source }) => {
      const { offers = [], decisions = [] } = source.value as unknown as OffersFile;
      const mention = (list: string) => (one: { readonly id: string }, index: number) => ({
        id: one.id,
        source,
        path: [list, index, 'id'],
      });
      return [...offers.map(mention('offers')), ...decisions.map(mention('decisions'))];
    });
  }

  definitions(): {
    readonly placements: readonly PlacementDefinition[];
    readonly offers: readonly OfferDefinition[];
    readonly decisions: readonly OfferDecisionDefinition[];
  } {
    const types = this.#placements();
    const offers = this.#files.flatMap((authoring) =>
      (fileOf(authoring).offers ?? []).map((offer, index) => offerOf(authoring, offer, index, types)),
    );
    const offersById = new Map(offers.map((offer) => [offer.id, offer]));
    const decisions = this.#files.flatMap((authoring) =>
      (fileOf(authoring).decisions ?? []).map((one, index) => decisionOf(authoring, one, index, types, offersById)),
    );
    const placements = [...types].map(
      ([id, { name, type }]): PlacementDefinition => ({ id, name, component: COMPONENT_PREFIX + COMPONENTS[type][0] }),
    );
    return { placements, offers, decisions };
  }

  #placements(): Types {
    const types = new Map<string, { readonly name: string; readonly type: ComponentType }>();
    for (const authoring of this.#files) {
      for (const [index, { id, name = id, type }] of (fileOf(authoring).placements ?? []).entries()) {
        if (types.has(id))
          authoring.error(
            ['placements', index, 'id'],
            `The id '${id}' is that of another placement. Give one of the two another id.`,
          );
        types.set(id, { name, type });
      }
    }
    return types;
  }
}

type Types = ReadonlyMap<string, { readonly name: string; readonly type: ComponentType }>;

function fileOf({ source }: Authoring): OffersFile {
  return source.value as unknown as OffersFile;
}

function offerOf(authoring: Authoring, offer: OfferFile, index: number, types: Types): OfferDefinition {
  const at: KeyPath = ['offers', index];
  const content: Record<string, JsonObject> = {};
  for (const [placement, written] of Object.entries(offer.content)) {
    const path = [...at, 'content', placement];
    const type = types.get(placement)?.type;
    if (type === undefined) authoring.error(path, unknown('placement', placement, [...types.keys()]), 'key');
    else {
      content[placement] = contentOf(authoring, path, written, type);
      checkTemplates(authoring, path, content[placement]);
    }
  }
  return {
    id: offer.id,
    name: offer.name ?? offer.id,
    priority: offer.priority ?? 0,
    ...authoring.schedule(at, offer),
    when: authoring.when([...at, 'when'], offer.when),
    caps: authoring.caps(offer.caps),
    content,
  };
}

function contentOf(authoring: Authoring, at: KeyPath, written: string | ContentFile, type: ComponentType): JsonObject {
  const file = typeof written === 'string' ? (type === 'image' ? { url: written } : { content: written }) : written;
  const { format = COMPONENTS[type][1], language, characteristics } = file;
  const made: JsonObject = { format };
  if (language !== undefined) made['language'] = [...language];
  const given = (['content', 'file', 'url'] as const).filter((key) => file[key] !== undefined);
  if (given.length !== 1) {
    const what = given.length === 0 ? 'no content' : given.join(' and ');
    authoring.error(at, `${named(at)} has ${what}. It takes exactly one of: content, file, url.`);
  } else if (file.url !== undefined) made['deliveryURL'] = file.url;
  else {
    const content = file.file === undefined ? file.content! : readContent(authoring, [...at, 'file'], file.file, type);
    if (type !== 'json' && typeof content !== 'string' && content !== undefined)
      authoring.error(
        [...at, 'content'],
        `${named([...at, 'content'])} stands in a placement of type ${type}. It takes a text.`,
      );
    if (content !== undefined) made['content'] = content;
  }
  if (characteristics !== undefined) made['characteristics'] = { ...characteristics };
  return made;
}

function readContent(authoring: Authoring, at: KeyPath, file: string, type: ComponentType): Json | undefined {
  return type === 'json' ? authoring.jsonFile(at, file) : (authoring.file(at, file) ?? undefined);
}

function decisionOf(
  authoring: Authoring,
  decision: OfferDecisionFile,
  index: number,
  types: Types,
  offers: ReadonlyMap<string, OfferDefinition>,
): OfferDecisionDefinition {
  const at: KeyPath = ['decisions', index];
  const check = (path: KeyPath, id: string, placement: string): void => {
    const offer = offers.get(id);
    if (offer === undefined) authoring.error(path, unknown('offer', id, [...offers.keys()]));
    else if (types.has(placement) && !Object.hasOwn(offer.content, placement)) {
      const message = `The offer '${id}' has no content for the placement '${placement}'. Add some to it, or take it out here.`;
      authoring.error(path, message);
    }
  };
  const placements = decision.placements.map(({ placement, offers: ids, fallback }, number) => {
    const path = [...at, 'placements', number];
    if (decision.placements.findIndex((one) => one.placement === placement) < number) {
      const message = `The placement '${placement}' stands in the list before. Put the offers of both into one.`;
      authoring.error([...path, 'placement'], message);
    }
    if (!types.has(placement))
      authoring.error([...path, 'placement'], unknown('placement', placement, [...types.keys()]));
    ids.forEach((id, item) => {
      check([...path, 'offers', item], id, placement);
    });
    if (fallback !== undefined) check([...path, 'fallback'], fallback, placement);
    return { placementId: placement, offers: ids, fallback: fallback ?? null };
  });
  return { id: decision.id, name: decision.name ?? decision.id, ...authoring.schedule(at, decision), placements };
}

/** More names would not be read. */
const NAMES_TOLD_MAX = 20;

function unknown(what: string, id: string, known: readonly string[]): string {
  const rest = known.length - NAMES_TOLD_MAX;
  const told = `${known.slice(0, NAMES_TOLD_MAX).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  const remedy = known.length === 0 ? 'There is none in this org yet' : `Known in this org: ${told}`;
  return `There is no ${what} '${id}'. ${remedy}.`;
}
