import { randomInt } from 'node:crypto';
import { test } from 'vitest';
import { killAgainAndAgain, ROUND_MS_MAX } from './kills.ts';

/** WEIR_KILLS sets the rounds, WEIR_SEED repeats them. */
const ROUNDS = Number(process.env['WEIR_KILLS'] ?? 20);
const SEED = Number(process.env['WEIR_SEED'] ?? randomInt(2 ** 31));

test(
  `${ROUNDS} kills under load lose nothing, double nothing and make nothing up (seed ${SEED})`,
  () => killAgainAndAgain(ROUNDS, SEED),
  ROUNDS * ROUND_MS_MAX,
);
