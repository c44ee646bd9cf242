import { Decisions, decidingTools as realTools } from '../../src/decision-tools.ts';
import type { DecidingTools } from '../../src/stages/deciding.ts';
import { PreviewSeal } from '../../src/stages/preview-seal.ts';
import { decisionTools } from './exchanges.ts';

export interface Deciding extends DecidingTools {
  /** What the operator log was told. */
  readonly told: readonly object[];
}

/** The server's own tools of the stages that decide, where nothing is kept on a disk, with what a test wants otherwise. */
export function decidingTools(fields: Partial<DecidingTools> = {}): Deciding {
  const told: object[] = [];
  const log = { error: (what: object) => void told.push(what) };
  const tools = { ...decisionTools(), previews: new PreviewSeal([Buffer.alloc(32, 9)]) };
  const real = realTools(tools, new Decisions('/nonexistent'), BUDGET_MS, () => false, log as never);
  return { ...real, ...fields, told };
}

const BUDGET_MS = 1_000;
