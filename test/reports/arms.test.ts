import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arm, Membership } from '../../src/reports/arms.ts';

const arm = new Arm({ kind: 'experience', experienceId: 'a', isBot: false }, 1);
const WINDOWS_MS = [10, 25];
const NEVER = Number.NEGATIVE_INFINITY;

test('What was displayed within a window is known, though most times are left out', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(100), { maxLength: 40 }),
      fc.nat(130),
      fc.constantFrom(...WINDOWS_MS),
      (times, at, window) => {
        const member = new Membership(arm);
        for (const time of times) member.see(time, Math.min(...WINDOWS_MS), NEVER);
        const expected = times.some((time) => time <= at && at <= time + window);
        expect(member.hasSeenWithin(window, at)).toBe(expected);
        // Two for each stretch of the shortest window, at most.
        expect(member.seenAt.length).toBeLessThanOrEqual(2 * (100 / 10 + 1));
        expect(member.seenAt).toEqual([...member.seenAt].sort((a, b) => a - b));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('What is too old for every event to come is forgotten', () => {
  const member = new Membership(arm);
  for (let time = 0; time < 1_000; time += 20) member.see(time, 10, time - 60);
  expect(member.seenAt).toEqual([920, 940, 960, 980]);
});
