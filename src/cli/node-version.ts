/** The first releases of each line that carry the fixes Weir relies on (a crash by header name, hash flooding: March 2026). */
const FIRST_SUPPORTED: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  20: [20, 2],
  22: [22, 2],
  24: [14, 1],
};
const NEWEST_LINE = 24;

/** Why this Node cannot run Weir, with the remedy; null where it can. `version`: "v20.20.2". */
export function unsupportedNode(version: string): string | null {
  const [major = 0, minor = 0, patch = 0] = version
    .replace(/^v/, '')
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  if (major > NEWEST_LINE) return null;
  const first = FIRST_SUPPORTED[major];
  if (first !== undefined && (minor > first[0] || (minor === first[0] && patch >= first[1]))) return null;
  const lines = Object.entries(FIRST_SUPPORTED).map(([line, [m, p]]) => `${line}.${m}.${p}`);
  return `Node ${version} is not supported: it lacks security fixes that a server on the open network needs. Install ${lines.join(', ')} or later in its line.`;
}
