import type { Random } from './random.ts';
import { type Faults, NO_FAULTS } from './sim-fs.ts';

/** What kind of misfortune a schedule has. Stops of the process and of the machine happen in all of them. */
export type Weather = 'calm' | 'full-disk' | 'bad-writes' | 'bad-reads' | 'bad-calls' | 'rot';
export const WEATHERS: readonly Weather[] = [
  ...(['calm', 'calm', 'calm', 'full-disk', 'full-disk', 'bad-writes', 'bad-writes'] as const),
  ...(['bad-reads', 'bad-calls', 'rot', 'rot'] as const),
];

/** What is to go wrong among so many calls to come. */
export function faultsIn(weather: Weather, random: Random, calls: number): Faults {
  const soon = (): number | null => (random.oneIn(2) ? random.between(1, calls) : null);
  const faults: Faults = { ...NO_FAULTS, short: random.oneIn(3) ? 4 : 0 };
  if (random.oneIn(4)) faults.stop = random.between(1, calls);
  if (weather === 'bad-writes') return { ...faults, write: random.oneIn(2) ? soon() : null, sync: soon() };
  if (weather === 'bad-reads') return { ...faults, read: soon() };
  if (weather === 'bad-calls') faults.call = { after: random.between(1, calls), code: 'EIO' };
  if (weather === 'full-disk') faults.call = { after: random.between(1, calls), code: 'ENOSPC' };
  return faults;
}
