import { type Algorithm, type ApiClient, type AuthOptions, type Issuer, LOCAL_ISSUER } from '../model/auth.ts';
import { quoted } from '../model/json.ts';
import type { Finding } from './finding.ts';
import { type Folder, isUnread } from './folder.ts';
import { KEY_SET_BYTES_MAX, parseKeySet } from './key-set.ts';
import { CLOCK_TOLERANCE_SECONDS, TOKEN_AGE_SECONDS } from './limits.ts';
import { named } from './schema-findings.ts';
import type { KeyPath, Source } from './source.ts';

/** `auth` of weir.yaml after its schema has been checked. */
export interface AuthFile {
  readonly issuers?: readonly IssuerFile[];
  readonly local?: boolean;
  readonly clockToleranceSeconds?: number;
}
interface IssuerFile {
  readonly issuer: string;
  readonly kind?: Issuer['kind'];
  readonly jwks: string;
  readonly audience?: readonly string[];
  readonly algorithms?: readonly Algorithm[];
  readonly claims?: { readonly client?: string; readonly org?: string; readonly scope?: string };
  readonly scopes?: readonly string[];
  readonly maxAgeSeconds?: number;
  readonly clients?: Readonly<
    Record<string, { readonly orgs: readonly string[]; readonly datastreams?: readonly string[] }>
  >;
}

/** What the kinds have in common between their tokens. RFC 9068 has `client_id`, Keycloak and Auth0 `azp`, Auth0 `org_id`. */
const USUAL = {
  oidc: { client: ['client_id', 'azp'], org: 'org_id', scope: 'scope', scopes: [] },
  ims: { client: ['client_id'], org: 'org', scope: 'scope', scopes: ['acp.foundation'] },
} as const;

/** Reads files of keys with the workspace, so that a change of one is a change of the workspace. Files are added to its hash by `addToHash`. */
export function authOf(
  file: AuthFile | undefined,
  folder: Folder,
  source: Source,
  findings: Finding[],
  addToHash: (name: string, bytes: Uint8Array) => void,
): AuthOptions {
  const { issuers = [], local = false, clockToleranceSeconds = CLOCK_TOLERANCE_SECONDS.default } = file ?? {};
  const seen = new Set<string>([LOCAL_ISSUER.issuer]);
  const list = issuers.map((one, index) => {
    const at: KeyPath = ['auth', 'issuers', index];
    const error = (key: string, message: string): void => void findings.push(source.error([...at, key], message));
    const { issuer, jwks } = one;
    const shown = quoted(issuer);
    if (issuer === LOCAL_ISSUER.issuer)
      error('issuer', `${shown} is the issuer of local tokens. Set 'auth.local: true' to take them.`);
    else if (seen.has(issuer)) error('issuer', `The issuer ${shown} stands in the list before. Remove one of the two.`);
    seen.add(issuer);
    if (one.audience === undefined && one.kind !== 'ims')
      error(
        'issuer',
        `The key 'audience' is missing in ${named(at)}: without it, tokens that this issuer made for others would be taken. Add what your tokens have in 'aud', as in: audience: [weir]`,
      );
    const problem = isUrl(jwks) ? urlProblem(jwks) : null;
    if (problem !== null) error('jwks', `${named([...at, 'jwks'])} is ${quoted(jwks)}. ${problem}`);
    const text = isUrl(jwks) ? null : keysOf(jwks, folder, (message) => error('jwks', message), addToHash);
    return issuerOf(one, text);
  });
  return { issuers: list, local, clockToleranceSeconds };
}

function issuerOf(file: IssuerFile, jwks: string | null): Issuer {
  const { issuer, kind = 'oidc', claims = {} } = file;
  const usual = USUAL[kind];
  return {
    issuer,
    kind,
    audiences: file.audience ?? [],
    jwksUrl: isUrl(file.jwks) ? file.jwks : null,
    jwks,
    algorithms: file.algorithms ?? ['RS256'],
    claims: {
      client: claims.client === undefined ? usual.client : [claims.client],
      org: claims.org ?? usual.org,
      scope: claims.scope ?? usual.scope,
    },
    scopes: file.scopes ?? usual.scopes,
    maxAgeSeconds: file.maxAgeSeconds ?? TOKEN_AGE_SECONDS.default,
    clients: file.clients === undefined ? null : clientsOf(file.clients),
  };
}

function clientsOf(clients: NonNullable<IssuerFile['clients']>): ReadonlyMap<string, ApiClient> {
  return new Map(
    Object.entries(clients).map(([id, { orgs, datastreams }]) => [
      id,
      { orgs: new Set(orgs), datastreams: datastreams === undefined ? null : new Set(datastreams) },
    ]),
  );
}

function isUrl(jwks: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(jwks);
}

/** Why keys may not be fetched from there, with the remedy; null where they may. */
function urlProblem(text: string): string | null {
  if (!URL.canParse(text)) return 'That is no URL. It takes https://… or a file.';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'Keys are public: leave out the user and the password.';
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url.hostname))) return null;
  return 'Whoever can change the keys on their way can make tokens, so it takes https (http for this machine only).';
}

/** As `URL` has it: in lower case, IPv6 in brackets and shortest form. */
function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function keysOf(
  name: string,
  folder: Folder,
  error: (message: string) => void,
  addToHash: (name: string, bytes: Uint8Array) => void,
): string | null {
  const bytes = folder.read(name, KEY_SET_BYTES_MAX);
  if (isUnread(bytes)) {
    error(
      `The file '${name}' cannot be read. ${bytes.message} 'jwks' takes a file relative to the workspace, or a URL.`,
    );
    return null;
  }
  addToHash(name, bytes);
  const text = bytes.toString('utf8');
  try {
    parseKeySet(text);
    return text;
  } catch (cause) {
    error(`The file '${name}' has no keys. ${(cause as Error).message}`);
    return null;
  }
}
