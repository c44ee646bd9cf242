import { randomInt } from 'node:crypto';
import { test } from 'vitest';
import { killAgainAndAgain } from './kills.ts';

/** 3/N bounds the rate of failures at 95 %, so 300 kills say "under 1 %". */
const ROUNDS = 300;
/** Side by side, each on its own data: a start reads what was stored in the last minutes, so a quarter of it is read in a quarter of the time. */
const SERVERS = 4;
const SEED = Number(process.env['WEIR_SEED'] ?? randomInt(2 ** 31));

test(`${ROUNDS} kills of ${SERVERS} servers under load lose nothing, double nothing and make nothing up (seed ${SEED})`, async () => {
  const servers = Array.from({ length: SERVERS }, (_, index) => killAgainAndAgain(ROUNDS / SERVERS, SEED + index));
  await Promise.all(servers);
});
