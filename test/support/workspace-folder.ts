import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The files of the smallest workspace with a datastream. */
export const LEAST_FILES: Readonly<Record<string, string>> = {
  'weir.yaml': '{}\n',
  'datastreams/shop.yaml': 'id: shop\norg: 0123@AdobeOrg\nname: Shop\n',
};

/** A workspace in a folder of its own, removed after the test. Names are relative paths; null leaves a default file out. */
export function workspaceFolder(files: Readonly<Record<string, string | Uint8Array | null>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-workspace-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries({ ...LEAST_FILES, ...files })) {
    if (content !== null) writeFile(folder, name, content);
  }
  return folder;
}

export function writeFile(folder: string, name: string, content: string | Uint8Array): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
