import type { Digest } from '../model/erasure.ts';
import type { LmdbStateLimits } from './lmdb-limits.ts';

export interface LmdbStateOptions {
  /** Told when the database was set aside, or holds damage. */
  readonly report?: (message: string) => void;
  /** Told of what passes: the database cannot be written now. `report` where it is not given. */
  readonly warn?: (message: string) => void;
  readonly limits?: Partial<LmdbStateLimits>;
  /** By which persons who are erased are told; null, or left out, where nobody ever is. */
  readonly digest?: Digest | null;
}
