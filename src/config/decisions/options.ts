import { quoted } from '../../model/json.ts';
import type { Finding } from '../finding.ts';
import { named } from '../schema-findings.ts';
import type { KeyPath, Source } from '../source.ts';
import { timeZoneProblem } from './local-time.ts';

/** `decisions` of weir.yaml after its schema has been checked. */
export interface DecisionsFile extends OrgFile {
  readonly budgetMs?: number;
  readonly keysFile?: string | null;
  readonly orgs?: Readonly<Record<string, OrgFile>>;
}
interface OrgFile {
  readonly timeZone?: string;
  readonly holdoutPercent?: number;
  readonly targetClient?: string;
}

/** What holds of one org's decisions. */
export interface OrgDecisions {
  readonly timeZone: string;
  readonly holdoutPercent: number;
  readonly targetClient: string;
}

const DEFAULTS: OrgDecisions = { timeZone: 'UTC', holdoutPercent: 0, targetClient: '' };

/** By org. A time zone that is none is told, and taken for the default. */
export function orgDecisions(
  file: DecisionsFile | undefined,
  source: Source | null,
  findings: Finding[],
): (orgId: string) => OrgDecisions {
  const { orgs = {}, timeZone, holdoutPercent, targetClient } = file ?? {};
  const read = (one: OrgFile, at: KeyPath, base: OrgDecisions): OrgDecisions => {
    const problem = one.timeZone === undefined ? null : timeZoneProblem(one.timeZone);
    const path = [...at, 'timeZone'];
    if (problem !== null && source !== null)
      findings.push(source.error(path, `${named(path)} is ${quoted(one.timeZone!)}. ${problem}`));
    return {
      timeZone: problem === null ? (one.timeZone ?? base.timeZone) : base.timeZone,
      holdoutPercent: one.holdoutPercent ?? base.holdoutPercent,
      targetClient: one.targetClient ?? base.targetClient,
    };
  };
  const given = Object.fromEntries(
    Object.entries({ timeZone, holdoutPercent, targetClient }).filter(([, value]) => value !== undefined),
  );
  const common = read(given, ['decisions'], DEFAULTS);
  const own = new Map(Object.entries(orgs).map(([id, one]) => [id, read(one, ['decisions', 'orgs', id], common)]));
  return (orgId) => own.get(orgId) ?? common;
}
