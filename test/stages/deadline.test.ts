import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ANSWER_RESERVE_MS } from '../../src/model/answer-reserve.ts';
import { Problem } from '../../src/model/problem.ts';
import { withinDeadline } from '../../src/stages/deadline.ts';
import { exchangeOf } from '../support/exchanges.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const inMs = (leftMs: number) => exchangeOf({ deadlineMs: performance.now() + leftMs });
const after = <T>(ms: number, value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), ms));

describe('a service has until the deadline, less the time that logging and answering need', () => {
  test.each([
    [1_000 - ANSWER_RESERVE_MS - 100, true],
    [1_000 - ANSWER_RESERVE_MS + 1, false],
  ])('answered after %i of 1000 ms', async (ms, isInTime) => {
    const result = withinDeadline(inMs(1_000), 'profiles', after(ms, 'value'));
    await vi.advanceTimersByTimeAsync(1_000);
    const got = await result;
    if (isInTime) expect(got).toBe('value');
    else {
      expect(got).toBeInstanceOf(Problem);
      expect((got as Problem).spec).toMatchObject({ code: 'EXEG-0200-504', class: 'error' });
      expect((got as Problem).detail).toContain("'profiles'");
    }
  });

  test('no time left is late at once, and an answer that is there already still counts', async () => {
    const late = withinDeadline(inMs(-5), 's', new Promise(() => {}));
    await vi.advanceTimersByTimeAsync(0);
    expect(((await late) as Problem).spec.code).toBe('EXEG-0200-504');
    expect(await withinDeadline(inMs(-5), 's', Promise.resolve(1))).toBe(1);
  });

  test('a failure is 0203, with its cause inside', async () => {
    const cause = new Error('secret host');
    const got = (await withinDeadline(inMs(1_000), 'profiles', Promise.reject(cause))) as Problem;
    expect(got.spec).toMatchObject({ code: 'EXEG-0203-502', class: 'error' });
    expect(got.detail).not.toContain('secret');
    expect(got.cause).toBe(cause);
  });

  test('no timer is left behind', async () => {
    await withinDeadline(inMs(1_000), 's', Promise.resolve(1));
    await withinDeadline(inMs(1_000), 's', Promise.reject(new Error('x')));
    expect(vi.getTimerCount()).toBe(0);
  });
});
