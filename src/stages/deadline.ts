import { performance } from 'node:perf_hooks';
import type { Exchange } from '../model/exchange.ts';
import { type Problem, problem } from '../model/problem.ts';

/**
 * Waits for a service until the request's deadline, less the reserve. Late or failed → a Problem, which the caller
 * pushes on `x.errors` (the answer is a 207 without that service's part) or throws where it cannot go on without.
 */
export async function withinDeadline<T>(x: Exchange, service: string, work: Promise<T>): Promise<T | Problem> {
  const leftMs = Math.max(0, x.deadlineMs - x.reserveMs - performance.now());
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Problem>((resolve) => {
    timer = setTimeout(
      () => resolve(problem('EXEG-0200-504', `The service '${service}' did not answer in time; try again.`)),
      leftMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } catch (cause) {
    return problem('EXEG-0203-502', `The service '${service}' failed; try again.`, {}, { cause });
  } finally {
    clearTimeout(timer);
  }
}
