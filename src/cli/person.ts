import type { OfFolder, OfServer, PersonId } from '../person-tools.ts';
import { type Io, isWebAddress, UsageError } from './usage.ts';

/** What `erase` and `export` have in common: whom they are about, and where the data are. */
export const PERSON_OPTIONS = {
  org: { type: 'string' },
  namespace: { type: 'string' },
  id: { type: 'string' },
  data: { type: 'string' },
  workspace: { type: 'string' },
  'admin-url': { type: 'string' },
  token: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export type PersonValues = { readonly [K in Exclude<keyof typeof PERSON_OPTIONS, 'help'>]?: string };

export const PERSON_HELP = `  --org ORG          the org that the person's data are of
  --namespace N      of the id: ECID, Email, CRMID …
  --id ID            one of the person's ids
  --data DIR         the data folder of a server that does not run; with
                     --workspace DIR where the org has namespaces or key files
                     of its own
  --admin-url URL    or: the admin listener of a server that runs, with
  --token TOKEN      an admin token for the org (or an operator's), role admin;
                     else from WEIR_ADMIN_TOKEN
`;

export function personOf({ org, namespace, id }: PersonValues): PersonId {
  if (org === undefined) throw new UsageError('--org is missing.');
  if (namespace === undefined) throw new UsageError('--namespace is missing.');
  if (id === undefined) throw new UsageError('--id is missing.');
  return { orgId: org, namespace, id };
}

export function placeOf(name: string, values: PersonValues, io: Io): OfFolder | OfServer {
  const { data, workspace = null, 'admin-url': adminUrl, token = process.env['WEIR_ADMIN_TOKEN'] } = values;
  if (adminUrl !== undefined) {
    if (data !== undefined) throw new UsageError('Give --data or --admin-url, not both.');
    if (!isWebAddress(adminUrl))
      throw new UsageError(`--admin-url is '${adminUrl}'; it takes an address such as http://127.0.0.1:9090.`);
    if (token === undefined) throw new UsageError('--token is missing.');
    return { adminUrl, token };
  }
  if (data === undefined) throw new UsageError('--data is missing.');
  const tell = (_what: unknown, message?: string): void => void io.stderr.write(`weir ${name}: ${message ?? ''}\n`);
  const who = { kind: 'command', uid: process.getuid?.() ?? null };
  return { data, workspace, who, log: { info: tell, warn: tell, error: tell } };
}
