import type { IncomingHttpHeaders } from 'node:http';
import { type AuthOptions, type Issuer, LOCAL_ISSUER } from '../model/auth.ts';
import type { Workspace } from '../model/datastream.ts';
import { Problem } from '../model/problem.ts';
import type { Log } from '../telemetry/log.ts';
import {
  badUserToken,
  keysAway,
  noCredentials,
  noDatastream,
  noScope,
  otherClient,
  otherOrg,
} from './access-refusals.ts';
import { existingDatastream } from './datastream.ts';
import { type Grant, Grants } from './grants.ts';
import { FixedKeys, KEYS_TIMEOUT_MS, type KeySource, KeysUnavailable, RemoteKeys } from './keys.ts';
import { LocalKeys } from './local-issuer.ts';
import type { Query } from './query.ts';
import type { Answerable } from './respond.ts';
import { type Claimed, checkToken, readToken, type TrustedIssuers } from './token.ts';

export interface AccessDeps {
  /** DATA/keys, where `weir token` keeps its key pair. */
  readonly keysFolder: string;
  /** Of a whole request: keys have to be there before it is over. */
  readonly deadlineMs: number;
  /** Where unauthenticated calls belong; null where callers cannot use our own address (behind a proxy) or it is not known. */
  readonly edgeUrl: () => string | null;
  readonly log: Pick<Log, 'warn'>;
  /** Milliseconds of a clock that does not jump. */
  readonly clockMs: () => number;
}

/** A request that has to prove who sent it. */
export interface Ask {
  readonly headers: IncomingHttpHeaders;
  readonly workspace: Workspace;
  readonly path: string;
  readonly query: Query;
  /** Gets the datastream when the request is admitted; none while nobody knows whose the request is. */
  readonly to: Answerable;
  /** Unix epoch, milliseconds. */
  readonly nowMs: number;
}

/** How often requests whose tokens are known look whether keys have become old. */
const LOOK_MS = 1_000;
/** Of the deadline, what the keys may take: the rest of the request needs time too. */
const KEYS_SHARE = 0.75;

/**
 * Who may send to what: the server listener, and datastreams with `access: authenticated` on every listener. Where
 * several things are wrong the lowest code is answered; a datastream of another org is answered as one that does not
 * exist, byte for byte. Documented: headers and codes; chosen: what is compared with what.
 */
export class Access {
  readonly #deps: AccessDeps;
  #auth: AuthOptions | null = null;
  #authText = '';
  #issuers: TrustedIssuers = new Map();
  #grants = new Grants();
  #lookedAtMs = 0;

  constructor(deps: AccessDeps) {
    this.#deps = deps;
  }

  /**
   * Returns when the request may go on: at once for a token that was checked before. Throws, or rejects with, 0500–0506;
   * 0002 and 0003; 0000-503 where an issuer's keys are away.
   */
  admit(ask: Ask): undefined | Promise<void> {
    const { headers, workspace } = ask;
    const { authorization } = headers;
    const apiKey = headers['x-api-key'];
    const orgId = headers['x-gw-ims-org-id'];
    if (!isText(authorization) || !isText(apiKey) || !isText(orgId)) {
      throw noCredentials(missingIn(headers), this.#hint(ask));
    }
    this.#adopt(workspace.auth);
    const grant = this.#grants.find(authorization, ask.nowMs);
    if (grant === null || headers['x-user-token'] !== undefined) {
      return this.#check(ask, authorization).then((checked) => judge(ask, checked, apiKey, orgId));
    }
    if (Math.abs(ask.nowMs - this.#lookedAtMs) >= LOOK_MS) this.#look(ask.nowMs);
    judge(ask, grant, apiKey, orgId);
    return undefined;
  }

  #look(nowMs: number): void {
    this.#lookedAtMs = nowMs;
    for (const { keys } of this.#issuers.values()) keys.refreshAhead();
  }

  async #check({ headers, nowMs }: Ask, authorization: string): Promise<Grant> {
    const claimed = readToken(authorization);
    const userToken = headers['x-user-token'];
    if (userToken !== undefined) await this.#checkUser(String(userToken), nowMs);
    return await this.#grant(claimed, nowMs);
  }

  /** Whoever it speaks for, it has to be good. */
  async #checkUser(userToken: string, nowMs: number): Promise<void> {
    try {
      await this.#grant(readToken(`Bearer ${userToken}`), nowMs);
    } catch (error) {
      throw error instanceof Problem && error.spec.status === 401 ? badUserToken(error) : error;
    }
  }

  async #grant(claimed: Claimed, nowMs: number): Promise<Grant> {
    const grants = this.#grants;
    const known = grants.find(claimed.authorization, nowMs);
    if (known !== null) return known;
    try {
      const { clockToleranceSeconds } = this.#auth!;
      const grant = await checkToken(claimed, this.#issuers, clockToleranceSeconds, nowMs);
      // Where keys were changed meanwhile, these are no longer the grants that count.
      grants.add(grant);
      return grant;
    } catch (error) {
      throw error instanceof KeysUnavailable ? keysAway(error) : error;
    }
  }

  /** Other rules, other grants. Keys that were fetched stay: a reload must not depend on the issuer being there. */
  #adopt(auth: AuthOptions): void {
    if (auth === this.#auth) return;
    const text = JSON.stringify(auth, (_key, value: unknown) =>
      value instanceof Map || value instanceof Set ? [...value] : value,
    );
    this.#auth = auth;
    if (text === this.#authText) return;
    this.#authText = text;
    this.#grants = new Grants();
    const all = auth.local ? [...auth.issuers, LOCAL_ISSUER] : auth.issuers;
    const fetched = new Map([...this.#issuers.values()].map(({ issuer, keys }) => [issuer.jwksUrl, keys]));
    this.#issuers = new Map(
      all.map((issuer) => {
        const keys = (issuer.jwksUrl === null ? undefined : fetched.get(issuer.jwksUrl)) ?? this.#keysOf(issuer);
        return [issuer.issuer, { issuer, keys }];
      }),
    );
  }

  #keysOf(issuer: Issuer): KeySource {
    const onChange = (): void => {
      this.#grants = new Grants();
    };
    if (issuer === LOCAL_ISSUER) return new LocalKeys(this.#deps.keysFolder, onChange);
    const { jwks, jwksUrl } = issuer;
    if (jwks !== null) return new FixedKeys(jwks);
    const { deadlineMs, clockMs, log } = this.#deps;
    const timeoutMs = Math.min(KEYS_TIMEOUT_MS, deadlineMs * KEYS_SHARE);
    const report = (message: string): void => log.warn({ what: 'access' }, message);
    return new RemoteKeys({ url: jwksUrl!, timeoutMs, clockMs, report, onChange });
  }

  #hint({ to, query, workspace }: Ask): string {
    const id = query.datastreamId ?? query.dataStreamId ?? query.configId ?? '';
    const shown = SHELL_SAFE.test(id) ? id : 'ID';
    const how =
      "Send 'Authorization: Bearer <access token>', 'x-api-key' with the client's id and 'x-gw-ims-org-id' with the org.";
    const mint = workspace.auth.local
      ? ` For development, 'npm run -s weir -- token --datastream ${shown} --curl' makes them.`
      : " For development, 'npm run -s weir -- token' makes them, where weir.yaml has 'auth.local: true'.";
    if (to.role === 'edge')
      return `${how}${mint} This datastream has 'access: authenticated', so it takes no other calls.`;
    const url = this.#deps.edgeUrl();
    return `${how}${mint} Unauthenticated calls belong on the edge listener${url === null ? '' : `, ${url}`}.`;
  }
}

/** Ids that can be pasted into a shell. */
const SHELL_SAFE = /^[\w.:-]{1,128}$/;

const CREDENTIALS = ['authorization', 'x-api-key', 'x-gw-ims-org-id'];

function missingIn(headers: IncomingHttpHeaders): readonly string[] {
  return CREDENTIALS.filter((name) => !isText(headers[name]));
}

function isText(value: string | readonly string[] | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function judge({ workspace, path, query, to }: Ask, grant: Grant, apiKey: string, orgId: string): void {
  if (grant.clientId !== apiKey) throw otherClient();
  if (!grant.orgs.has(orgId)) throw otherOrg();
  if (grant.missingScope !== null) throw noScope(grant.missingScope);
  to.datastream = null;
  const datastream = existingDatastream(workspace, path, query, orgId);
  to.datastream = datastream;
  if (grant.datastreams?.has(datastream.id) === false) throw noDatastream();
}
