/** A week is enough to look at something, and to show it around. */
export const PREVIEW_DAYS_DEFAULT = 7;
/** Links are passed on and forgotten; nobody can take one back, but for new keys. */
export const PREVIEW_DAYS_MAX = 90;

const DAY_SECONDS = 86_400;

/** Unix epoch, seconds. */
export function previewExpiresAt(nowMs: number, days: number): number {
  return Math.floor(nowMs / 1000) + days * DAY_SECONDS;
}
