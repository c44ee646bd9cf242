import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { firstDifference } from './lockfile.mjs';
import { SetupError, say } from './say.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** npm's record of what it installed; written last, so a broken-off install has none. */
const INSTALLED = `${root}node_modules/.package-lock.json`;

/** Installs what package-lock.json says, unless it is there already. */
export function ensureModules() {
  const lock = read(`${root}package-lock.json`);
  const installed = existsSync(INSTALLED) ? read(INSTALLED) : null;
  const missing = firstDifference(lock, installed, { os: process.platform, cpu: process.arch });
  if (missing === null) return;
  say(missing === 'node_modules' ? 'Installing packages …' : `Installing packages (${missing} is missing or old) …`);
  const { status, output } = npmCi();
  if (status !== 0) throw new SetupError(`${output.trim()}\n\nThe packages could not be installed: ${remedy(output)}`);
}

function read(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function npmCi() {
  // Under npm the very same npm is used; started by hand, the one of the PATH. What npm hands down to its scripts (a log
  // level, say) is not meant for another npm.
  const npm = process.env.npm_execpath;
  const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const done = spawnSync(command, [...args, 'ci', '--loglevel=error', '--no-audit', '--no-fund', '--no-progress'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (done.error !== undefined) return { status: 1, output: done.error.message };
  return { status: done.status, output: `${done.stdout}${done.stderr}` };
}

const NO_REGISTRY =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|E40[13]|E50\d/;
const CERTIFICATE = /UNABLE_TO_|SELF_SIGNED|CERT_/;

function remedy(output) {
  if (CERTIFICATE.test(output)) {
    return "the registry's certificate is not trusted here. Set npm's 'cafile' to your organisation's root certificate.";
  }
  if (NO_REGISTRY.test(output)) {
    return "npm's registry could not be reached. Check the network and the proxy, or point npm's 'registry' at a mirror that you can reach.";
  }
  if (/ENOSPC/.test(output)) return 'the disk is full.';
  if (/EACCES|EPERM/.test(output)) return `this user may not write to ${root}node_modules.`;
  if (/ENOENT/.test(output)) return 'npm was not found. It comes with Node; check the PATH.';
  return "npm says why above; 'npm ci' by hand says more.";
}
