import { describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { Kept, weir } from '../support/command.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { workspaceFolder } from '../support/workspace-folder.ts';

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

  test.each(['start', 'constructor', '__proto__', '--version'])('an unknown command is named: %s', async (name) => {
    const { code, err } = await weir(name);
    expect(code).toBe(2);
    expect(err).toContain(`'${name}'`);
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
