import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { SetupError, say } from './say.mjs';

/** Programs that tests start, with the Debian package of each. The first command that runs is the one. */
const TOOLS = {
  Chromium: { commands: chromiums(), args: ['--version'], package: 'chromium' },
  nginx: { commands: ['nginx', '/usr/sbin/nginx'], args: ['-v'], package: 'nginx' },
  HAProxy: { commands: ['haproxy', '/usr/sbin/haproxy'], args: ['-v'], package: 'haproxy' },
  strace: { commands: ['strace'], args: ['-V'], package: 'strace' },
  openssl: { commands: ['openssl'], args: ['version'], package: 'openssl' },
  promtool: { commands: ['promtool'], args: ['--version'], package: 'prometheus' },
};

/** What the user says, then the names that distributions give it. */
function chromiums() {
  const given = process.env.WEIR_CHROMIUM;
  return [
    ...(given === undefined || given === '' ? [] : [given]),
    'chromium',
    'chromium-browser',
    'google-chrome-stable',
    'google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
}

/** The path of a program that a test starts: 'Chromium', 'nginx', 'HAProxy', 'strace', 'openssl', 'promtool'. Throws with the remedy. */
export function pathOf(name) {
  const tool = TOOLS[name];
  const path = firstThatRuns(tool.commands, tool.args);
  if (path === null) throw new Error(missingText([name]));
  return path;
}

function missingText(names) {
  const hint = names.includes('Chromium') ? ' (or WEIR_CHROMIUM=/path/to/chromium)' : '';
  return `The tests need ${names.join(', ')}. Install: apt-get install ${packagesOf(names).join(' ')}${hint}`;
}

function packagesOf(names) {
  return names.map((name) => TOOLS[name].package);
}

/**
 * The path of the first of `commands` that runs with `args`, or null. Commands are names or paths. Some distributions
 * ship a stub that only prints advice: it does not count.
 */
function firstThatRuns(commands, args) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const paths = commands.flatMap((one) => (isAbsolute(one) ? [one] : folders.map((folder) => join(folder, one))));
  const runs = (path) => existsSync(path) && spawnSync(path, args, { stdio: 'ignore' }).status === 0;
  return paths.find(runs) ?? null;
}

/** Sees to it that everything the tests start is there: installs Debian's packages when root, else says what is missing. */
export function ensureTools() {
  const missing = () =>
    Object.keys(TOOLS).filter((name) => firstThatRuns(TOOLS[name].commands, TOOLS[name].args) === null);
  const before = missing();
  if (before.length === 0) return;
  const canInstall = process.getuid?.() === 0 && firstThatRuns(['apt-get'], ['--version']) !== null;
  const output = canInstall ? aptInstall(packagesOf(before)) : '';
  const after = canInstall ? missing() : before;
  if (after.length > 0) throw new SetupError(`${output}${missingText(after)}`);
}

/** Package lists may be old, and mirrors have bad moments: try, update, try again. Returns what apt-get said last. */
function aptInstall(packages) {
  say(`Installing Debian's ${packages.join(', ')} for the tests …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) =>
    spawnSync('apt-get', ['-qq', '-o', 'Acquire::Retries=3', ...args], { env, encoding: 'utf8' });
  let said = '';
  for (let attempt = 0; attempt < 3; attempt++) {
    const done = apt('install', '-y', '--no-install-recommends', ...packages);
    if (done.status === 0) return '';
    said = `${done.stderr}\n`;
    apt('update');
  }
  return said;
}
