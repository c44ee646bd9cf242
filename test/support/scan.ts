import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Files under a folder that hold one of these texts as bytes, in any case: "log/…segment: <text>". */
export function filesWith(folder: string, texts: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    if (!statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    const lower = bytes.toString('latin1').toLowerCase();
    for (const text of texts) {
      const isThere = lower.includes(text.toLowerCase()) || bytes.includes(Buffer.from(text, 'utf16le'));
      if (isThere) found.push(`${name}: ${text}`);
    }
  }
  return found;
}
