import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JsonObject } from '../src/model/json.ts';
import { post } from './support/raw-http.ts';
import { startWeir, type Weir } from './support/weir.ts';

/** What is known of the last minutes is read from the log again at a start: a copy is one behind it as before it. */

let weir: Weir;
beforeEach(async () => {
  weir = await startWeir();
});
afterEach(() => weir.stop());

const ANN = '1'.repeat(38);
const BOB = '2'.repeat(38);
const event = (ecid: string | null, id?: string, isPrimary = false): JsonObject => ({
  xdm: {
    ...(id === undefined ? {} : { _id: id }),
    eventType: 'commerce.purchases',
    ...(ecid === null ? {} : { identityMap: { ECID: [{ id: ecid, ...(isPrimary && { primary: true }) }] } }),
  },
});

test.each([
  ['of two visitors', 'interact', '', [event(ANN, 'a'), event(BOB, 'b')]],
  ['of two who are primary', 'interact', '', [event(ANN, 'a', true), event(BOB, 'b', true)]],
  ['of one who is named, and another', 'interact', '', [event(ANN, 'a'), event(null, 'b'), event(BOB, 'c', true)]],
  ['without ids of its own', 'interact', '&requestId=r-1', [event(ANN), event(BOB, undefined, true)]],
  ['of nobody yet', 'interact', '&requestId=r-2', [event(null), event(null, 'b')]],
  ['that is collected', 'collect', '', [event(ANN, 'a'), event(BOB, 'b', true), event(null, 'c')]],
])('a batch %s that is sent again after a restart is stored once', async (_of, endpoint, query, events) => {
  const send = () => post(weir.edge, `/ee/v1/${endpoint}?configId=shop${query}`, { events });
  expect((await send()).status).toBeLessThan(300);
  await send();
  expect(await weir.events()).toHaveLength(events.length);
  await weir.restart();
  await send();
  expect(await weir.events()).toHaveLength(events.length);
});
