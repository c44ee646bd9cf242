import { expect, onTestFinished, test } from 'vitest';
import { matrix } from '../../src/components.ts';
import { Admission } from '../../src/gateway/admission.ts';
import { DuplicateWindow } from '../../src/stages/duplicates.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { decidingTools } from '../support/deciding.ts';
import { activityOf, definitionsOf } from '../support/decisions.ts';
import { datastreamOf, identityTools, ORG, workspaceOf } from '../support/exchanges.ts';
import { startGateway } from '../support/gateway-server.ts';
import { HeldLog } from '../support/held-log.ts';
import { post } from '../support/raw-http.ts';

/** As the disk falls behind: first decisions are left out, then answers, then data. */

const LIMITS = { deadlineMs: 2_000, queueAgeMsMax: 30_000, queueBytesMax: 64_000 };

test('decisions are left out before a request is turned away, and their events are stored', async () => {
  const queue = { waitMs: 0, queueBytes: 0 };
  const admission = new Admission(queue, LIMITS);
  const log = new HeldLog();
  log.automatic = true;
  const tools = decidingTools({ isOverloaded: () => !admission.hasTimeToDecide });
  const decisions = definitionsOf({ orgId: ORG, activities: [activityOf('hero')] });
  const workspace = workspaceOf([datastreamOf({ decisions, services: new Set(['decisions']) })]);
  const server = await startGateway({
    admission,
    workspace: () => workspace,
    matrix: matrix({
      log,
      state: new MemoryState(),
      duplicates: new DuplicateWindow(),
      identity: identityTools(),
      decisions: tools,
      deciding: tools,
    }),
  });
  onTestFinished(() => server.stop());
  const ask = async (waitMs: number) => {
    queue.waitMs = waitMs;
    const query = { personalization: { decisionScopes: ['hero'] } };
    const answer = await post(server.edge, '/ee/v2/interact?datastreamId=shop', { event: { xdm: {}, query } });
    const { handle = [], errors = [] } = answer.json as { handle?: { type: string }[]; errors?: { type: string }[] };
    return [
      answer.status,
      handle.filter(({ type }) => type === 'personalization:decisions').length,
      errors.map(({ type }) => /EXEG-[\d-]+$/.exec(type)?.[0]),
    ];
  };
  const stored = (): number | undefined => server.counters.ledger.totals.get('shop')?.stored;

  expect(await ask(500)).toEqual([200, 1, []]);
  expect(await ask(501)).toEqual([207, 0, ['EXEG-0201-503']]);
  expect(await ask(1_000)).toEqual([207, 0, ['EXEG-0201-503']]);
  expect([tools.counts.shed, stored(), server.counters.shed['overload-interact']]).toEqual([2, 3, 0]);
  expect((await ask(1_001))[0]).toBe(503);
  expect([tools.counts.shed, stored(), server.counters.shed['overload-interact']]).toEqual([2, 3, 1]);
  expect(await ask(0)).toEqual([200, 1, []]);
});
