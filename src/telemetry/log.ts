import { type Logger, pino } from 'pino';

/** Structured operator log on stderr: ids, sizes, codes; never a body, a query string, a cookie or an address of a person. */
export type Log = Pick<Logger, 'info' | 'warn' | 'error'>;

export function createLog(): Log {
  return pino(
    { base: undefined, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    process.stderr,
  );
}
