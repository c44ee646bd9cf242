// Adds to package-lock.json the optional packages of other platforms.
//
// npm leaves an optional package out of the lockfile where the registry that it asked does not have it, as mirrors often
// do not for platforms that nobody there uses. `npm ci` then refuses the lockfile everywhere, and on the platform that
// was left out the package would be missing. Run this after `npm install`: node scripts/complete-lock.mjs
// An added entry has no integrity value: npm fills it in on the first install on that platform.

import { readFileSync, writeFileSync } from 'node:fs';
import { missingOptional } from './lib/lockfile.mjs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const missing = missingOptional(lock);
for (const { key, entry } of missing) lock.packages[key] = entry;
const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries(sorted);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${missing.length} optional packages of other platforms added to package-lock.json\n`);
