/** Whose tokens are taken, and what they allow: `auth` of weir.yaml. Immutable; made anew when the workspace changes. */
export interface AuthOptions {
  readonly issuers: readonly Issuer[];
  /** Tokens of `weir token` are taken, signed with the key pair in the data folder. */
  readonly local: boolean;
  /** Clocks of issuers may differ from ours by this much. */
  readonly clockToleranceSeconds: number;
}

/** What signatures are made with; nothing else is taken, whatever a token says. */
export type Algorithm = 'RS256' | 'ES256';

export interface Issuer {
  /** `iss` of its tokens; of IMS's, `as`. Stands once in the list. */
  readonly issuer: string;
  /** `ims`: no `iss` and no `aud`, times as texts of milliseconds. */
  readonly kind: 'oidc' | 'ims';
  /** One of them has to be in `aud`; empty: not looked at (IMS). */
  readonly audiences: readonly string[];
  /** Where its public keys are, as a JWK Set; null where `jwks` has them. */
  readonly jwksUrl: string | null;
  /** The text of a JWK Set that was read with the workspace; null where `jwksUrl` says where they are. */
  readonly jwks: string | null;
  readonly algorithms: readonly Algorithm[];
  readonly claims: {
    /** The client's id is the first of these that a token has. */
    readonly client: readonly string[];
    /** A text, or a list of texts. */
    readonly org: string;
    /** A text of several scopes, or a list. */
    readonly scope: string;
  };
  /** All of them have to be in a token. */
  readonly scopes: readonly string[];
  /** A token that was made longer ago is expired, whatever it says. */
  readonly maxAgeSeconds: number;
  /** The only clients that are taken, and for what; null: every client, for the org that its token names. */
  readonly clients: ReadonlyMap<string, ApiClient> | null;
}

/** What a client, known by its id (the api key), may send to. */
export interface ApiClient {
  readonly orgs: ReadonlySet<string>;
  /** As clients send them; null: every datastream of these orgs. */
  readonly datastreams: ReadonlySet<string> | null;
}

/** Nobody is let in, so the server listener answers 401. */
export const NO_AUTH: AuthOptions = { issuers: [], local: false, clockToleranceSeconds: 0 };

/** The issuer of `weir token`: as any other, but its keys are in the data folder. A day is the most that a token lives. */
export const LOCAL_ISSUER: Issuer = {
  issuer: 'weir:local',
  kind: 'oidc',
  audiences: ['weir:server'],
  jwksUrl: null,
  jwks: null,
  algorithms: ['ES256'],
  claims: { client: ['client_id'], org: 'org', scope: 'scope' },
  scopes: [],
  maxAgeSeconds: 24 * 60 * 60,
  clients: null,
};
/** The api key of local tokens. */
export const LOCAL_CLIENT = 'weir-local';
