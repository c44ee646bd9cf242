/** Resolves when all have ended. Rejects with the first failure in their order, and not before the others have ended too. */
export async function allDone(all: readonly (Promise<void> | null)[]): Promise<void> {
  for (const ended of await Promise.allSettled(all)) if (ended.status === 'rejected') throw ended.reason;
}
