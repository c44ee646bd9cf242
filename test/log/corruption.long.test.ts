import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { Random } from '../sim/random.ts';
import { judge, makeLog } from './damaged-log.ts';
import { BYTE_KINDS, byteDamage, bytesOf, frameDamage, MARKS } from './damages.ts';

const FRAME_CASES = 30_000;

test('every byte of the log flipped, zeroed and dropped, each with another mark', async () => {
  const whole = await makeLog();
  let cases = 0;
  for (const [shift, mark] of MARKS.entries()) {
    for (const [i, { path, at }] of bytesOf(whole, mark).entries()) {
      const damage = byteDamage(whole, path, at, BYTE_KINDS[(i + shift) % BYTE_KINDS.length]!, mark);
      if (damage === null) continue;
      await judge(whole, damage);
      cases += 1;
    }
  }
  // The bytes that are zero already are left out of one kind.
  expect(cases).toBeGreaterThan(180_000);
});

test(`${FRAME_CASES} frames in the wrong place, others at every run`, async () => {
  const whole = await makeLog();
  const seed = randomInt(2 ** 31);
  const random = new Random(seed);
  for (let i = 0; i < FRAME_CASES; i++) {
    const damage = frameDamage(whole, random, MARKS[i % MARKS.length]!);
    await judge(whole, { ...damage, what: `${damage.what} (seed ${seed}, case ${i})` });
  }
});
