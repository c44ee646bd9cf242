import { spawnSync } from 'node:child_process';
import { SetupError, say } from './say.mjs';

/** Programs that tests start, with the Debian package of each. The first command that answers is the one. */
const TOOLS = [
  { name: 'Chromium', commands: chromiums(), args: ['--version'], package: 'chromium' },
  { name: 'nginx', commands: ['nginx', '/usr/sbin/nginx'], args: ['-v'], package: 'nginx' },
  { name: 'strace', commands: ['strace'], args: ['-V'], package: 'strace' },
  { name: 'openssl', commands: ['openssl'], args: ['version'], package: 'openssl' },
];

/** Where Chromium may be: what the user says, then the names that distributions give it. */
export function chromiums() {
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

/** The first of `commands` that runs, or null. Some distributions ship a stub that only prints advice: it does not count. */
export function firstThatRuns(commands, args) {
  return commands.find((command) => spawnSync(command, args, { stdio: 'ignore' }).status === 0) ?? null;
}

/** Sees to it that everything the tests start is there: installs Debian's packages when root, else says what is missing. */
export function ensureTools() {
  const missing = () => TOOLS.filter((tool) => firstThatRuns(tool.commands, tool.args) === null);
  const before = missing();
  if (before.length === 0) return;
  const packages = before.map((tool) => tool.package);
  const canInstall = process.getuid?.() === 0 && firstThatRuns(['apt-get'], ['--version']) !== null;
  const output = canInstall ? aptInstall(packages) : '';
  const after = canInstall ? missing() : before;
  if (after.length === 0) return;
  const names = after.map((tool) => tool.name).join(', ');
  const hint = after.some((tool) => tool.name === 'Chromium') ? ' (or WEIR_CHROMIUM=/path/to/chromium)' : '';
  throw new SetupError(
    `${output}The tests need ${names}. Install: apt-get install ${after.map((tool) => tool.package).join(' ')}${hint}`,
  );
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
