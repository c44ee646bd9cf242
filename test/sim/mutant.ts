import type { Theme } from './themes.ts';

/** Bugs that the simulation has to find. Each is a change of a line or two of the real sources. */
export interface Mutant {
  readonly name: string;
  /** The schedules that come to the place soonest. */
  readonly theme: Theme;
  /** The schedule to begin with. */
  readonly first?: number;
  readonly edits: readonly Edit[];
}

interface Edit {
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export function mutant(name: string, file: string, find: string, replace: string, theme: Theme = 'mixed'): Mutant {
  return { name, theme, edits: [{ file, find, replace }] };
}
