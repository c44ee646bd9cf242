import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { Kept, weir } from '../support/command.ts';
import { ROOT } from '../support/sources.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { workspaceFolder } from '../support/workspace-folder.ts';

const WORKSPACE = join(ROOT, 'examples/demo-shop');
const FILE = join(WORKSPACE, 'weir.yaml');
const PERSON = ['--org', 'o', '--namespace', 'Email', '--id', 'i'];

describe('weir', () => {
  test('without a command: how to use it, as an error', async () => {
    const { code, out, err } = await weir();
    expect([code, out]).toEqual([2, '']);
    for (const command of ['serve', 'events', 'check']) expect(err).toContain(command);
  });

  test.each(['help', '--help', '-h'])('%s: the same, as an answer', async (word) => {
    const { code, out, err } = await weir(word);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('Usage: weir');
  });

  test.each(['start', 'constructor', '__proto__', '--verbose'])('an unknown command is named: %s', async (name) => {
    const { code, err } = await weir(name);
    expect(code).toBe(2);
    expect(err).toContain(`'${name}'`);
  });

  test('help COMMAND: as COMMAND --help', async () => {
    expect(await weir('help', 'report')).toEqual(await weir('report', '--help'));
    expect((await weir('help', 'help')).out).toMatch(/^Usage: weir <command>/);
    const { code, err } = await weir('help', 'reprot');
    expect(code).toBe(2);
    expect(err).toMatch(/^weir: there is no command 'reprot'\. Did you mean 'report'\?\n/);
  });

  test('--version: the version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(await weir('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  test('help is readable at 80 columns', async () => {
    const { out: list } = await weir('help');
    const commands = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, command]) => command!);
    expect(commands).toContain('admin-token');
    for (const command of commands) {
      const { out } = await weir(command, '--help');
      expect([...list.split('\n'), ...out.split('\n')].filter((line) => line.length > 80)).toEqual([]);
    }
  });

  test.each(['serve', 'events', 'check'])('%s --help', async (command) => {
    const { code, out, err } = await weir(command, '--help');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`Usage: weir ${command}`);
  });

  test.each([
    [['serve', '--nothing'], '--nothing'],
    [['serve', '--workspace'], '--workspace'],
    [['events', '--data', 'x', '--follow', 'y'], 'y'],
    [['check', '--workspce', 'x'], '--workspce'],
    [['serve', '--workspace', 'x', '--data', 'y', 'z'], 'z'],
    [['serve', '--workspace', '', '--data', 'y'], '--workspace'],
    [['serve', '--workspace', 'x', '--data', 'y', '--host='], '--host'],
    [['serve', '--workspace', 'x', '--data', 'y', '--tls-port', 'https'], '--tls-port'],
    [['events', '--data', ''], '--data'],
    [['admin-token', 'create', '--data', 'x', '--org', 'o', '--datastream', 'a', '--datastream', ''], '--datastream'],
    [['admin-token', 'list', '--dta', 'x'], '--dta'],
  ])('%j: an argument that cannot be taken is named, and the command explained', async (args, word) => {
    const { code, out, err } = await weir(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(word);
    expect(err).toContain(`Usage: weir ${args[0]}`);
  });

  test.each([
    [['serv'], "weir: there is no command 'serv'. Did you mean 'serve'?\n"],
    [['check', '--workspce', 'x'], "weir check: There is no option '--workspce'. Did you mean '--workspace'?\n"],
    [['import', '--dryrun', 'x'], "weir import: There is no option '--dryrun'. Did you mean '--dry-run'?\n"],
    [['events', '-d', 'x'], "weir events: There is no option '-d'.\n"],
    [['check', 'shop'], "weir check: 'shop' follows no option that takes a value.\n"],
    [['events', '--data'], 'weir events: --data takes a value, and none follows.\n'],
    [
      ['events', '--data', '--follow'],
      'weir events: --data takes a value, and an option follows. A value that begins with a dash is written --data=-x.\n',
    ],
    [['events', '--data', 'x', '--follow=yes'], 'weir events: --follow takes no value.\n'],
    [['report', '--help=yes'], 'weir report: --help takes no value.\n'],
    [['admin-token', 'creat', '--data', 'x'], "weir admin-token: There is no 'creat' here. Did you mean 'create'?\n"],
    [
      ['export', ...PERSON, '--admin-url', 'localhost:9090', '--token', 't'],
      "weir export: --admin-url is 'localhost:9090'; it takes an address such as http://127.0.0.1:9090.\n",
    ],
  ])('%j: what was probably meant', async (args, told) => {
    const { code, err } = await weir(...args);
    expect(code).toBe(2);
    expect(err.startsWith(told)).toBe(true);
  });

  test.each([
    [['import', '--kind', 'identity', '--workspace', WORKSPACE, '--data', 'x', '/no/such.csv'], 'It does not exist.'],
    [['erase', '--verify', '/no/such.json', '--public-key', 'k'], 'It does not exist.'],
    [['events', '--data', FILE], 'It, or a folder above it, is a file.'],
    [['serve', '--workspace', WORKSPACE, '--data', FILE], 'It is a file.'],
  ])('%j: a path that cannot be used is said in words', async (args, why) => {
    const { code, err } = await weir(...args);
    expect(code).toBe(1);
    expect(err).toMatch(/^weir \w+: '\/.+' cannot be used\. /);
    expect(err).toContain(why);
  });

  test('erase --verify says of a file that is no receipt that it is none', async () => {
    const { code, err } = await weir('erase', '--verify', FILE, '--public-key', 'k');
    expect([code, err]).toEqual([1, `weir erase: ${FILE} does not hold: it is no JSON.\n`]);
  });

  test.each([
    [['serve', '--data', 'x'], '--workspace'],
    [['serve', '--workspace', 'x'], '--data'],
    [['events'], '--data'],
    [['check'], '--workspace'],
  ])('%j: an option that is missing is named', async (args, word) => {
    const { code, err } = await weir(...args);
    expect(code).toBe(2);
    expect(err).toContain(`${word} is missing`);
  });
});

describe('weir serve', () => {
  test.each(['x', '-1', '65536', '1e3'])('refuses the port "%s"', async (port) => {
    const { code, err } = await weir('serve', '--workspace', 'x', '--data', 'y', `--edge-port=${port}`);
    expect(code).toBe(2);
    expect(err).toContain('--edge-port');
    expect(err).toContain('65535');
  });

  test('whoever reads the ready line may stop it at once', async () => {
    const stdout = new Kept();
    const write = stdout._write.bind(stdout);
    stdout._write = (...args) => {
      write(...args);
      process.emit('SIGTERM');
    };
    const ports = ['edge', 'server', 'admin'].flatMap((name) => [`--${name}-port`, '0']);
    const args = ['serve', '--workspace', workspaceFolder(), '--data', tempFolder(), ...ports];
    expect(await main(args, { stdout, stderr: new Kept() })).toBe(0);
    expect(stdout.text).toContain('"ready":true');
  });

  test('refuses a workspace that is wrong, with file, line and column', async () => {
    const folder = workspaceFolder({ 'datastreams/shop.yaml': 'id: shop\norg: 0123@AdobeOrg\n' });
    const { code, err } = await weir('serve', '--workspace', folder, '--data', `${folder}/data`);
    expect(code).toBe(1);
    expect(err).toMatch(/shop\.yaml:\d+:\d+/);
    expect(err).toContain('name');
  });
});
