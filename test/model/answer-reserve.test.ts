import { expect, test } from 'vitest';
import { ANSWER_RESERVE_MS, answerReserveMs } from '../../src/model/answer-reserve.ts';

test.each([
  [100, 50],
  [250, 125],
  [499, 249.5],
  [500, ANSWER_RESERVE_MS],
  [4_500, ANSWER_RESERVE_MS],
])('of %i ms, %d are kept back', (deadlineMs, reserveMs) => {
  expect(answerReserveMs(deadlineMs)).toBe(reserveMs);
});
