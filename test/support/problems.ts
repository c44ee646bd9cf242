import { Problem } from '../../src/model/problem.ts';

/** What an action threw, if that was a Problem; anything else fails the test. */
export function problemOf(action: () => unknown): Problem {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

/** The same for a promise. */
export async function problemIn(work: Promise<unknown> | undefined): Promise<Problem> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}
