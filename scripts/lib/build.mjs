import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError, say } from './say.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const dist = join(root, 'dist');
/** Says of what sources dist was made. */
const STAMP = 'built-from';
const CONFIGS = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** Compiles src to dist, unless dist was made of exactly these files. */
export function ensureBuild() {
  const stamp = join(dist, STAMP);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint()) return;
  say('Building …');
  build();
}

/**
 * Compiles src to dist. The new dist replaces the old one whole, when it is complete: a command that is running keeps
 * what it has loaded, and a build that fails leaves the old one.
 */
export function build() {
  const fresh = `${dist}.${process.pid}.new`;
  const before = fingerprint();
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const done = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh], {
    cwd: root,
    encoding: 'utf8',
  });
  if (done.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    const why = done.error?.message ?? done.stdout + done.stderr;
    throw new SetupError(`${why.trim()}\n\nThe sources do not compile: mend what the compiler names above.`);
  }
  writeFileSync(join(fresh, STAMP), before);
  const old = `${dist}.${process.pid}.old`;
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
}

/** Changes when a source file is added, removed or written. */
function fingerprint() {
  const hash = createHash('sha256');
  const files = readdirSync(join(root, 'src'), { recursive: true }).map((file) => join('src', file));
  for (const file of [...files.sort(), ...CONFIGS]) {
    const { mtimeMs, size } = statSync(join(root, file));
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}
