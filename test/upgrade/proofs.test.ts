import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeFs } from '../../src/log/node-fs.ts';
import { listProofs } from '../../src/log/proofs.ts';
import { weir } from '../support/command.ts';
import { filesWith } from '../support/scan.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { linesOf, ORG } from './visitors.ts';

/** Choices that earlier versions kept of files that their logs dropped: this one reads them, and removes whom it is told to. */

const FIXTURES = new URL('proofs/', import.meta.url).pathname;

describe.each(readdirSync(FIXTURES))('choices kept by version %s', (version) => {
  const { choices } = JSON.parse(readFileSync(join(FIXTURES, version, 'expected.json'), 'utf8')) as {
    /** Lines of `weir consent`, by ECID. */
    readonly choices: Readonly<Record<string, readonly unknown[]>>;
  };
  const [erased, other] = Object.keys(choices) as [string, string];
  const copy = (): string => {
    const data = join(tempFolder(), 'data');
    cpSync(join(FIXTURES, version, 'data'), data, { recursive: true });
    return data;
  };
  const choicesOf = async (ecid: string, data: string): Promise<unknown[]> => {
    const { code, out, err } = await weir('consent', '--ecid', ecid, '--data', data, '--json');
    expect([code, err]).toEqual([0, '']);
    return linesOf(out);
  };

  test('are read', async () => {
    const data = copy();
    expect(await listProofs(nodeFs, join(data, 'log'))).not.toEqual([]);
    // A later version may say more of a choice.
    for (const [ecid, lines] of Object.entries(choices)) expect(await choicesOf(ecid, data)).toMatchObject(lines);
  });

  test('go with the person that they are of', async () => {
    const data = copy();
    expect(filesWith(data, [erased]).filter((name) => name.includes('proofs/'))).not.toEqual([]);
    const person = ['--namespace', 'ECID', '--id', erased, '--org', ORG];
    expect(await weir('erase', ...person, '--data', data, '--now')).toMatchObject({ code: 0 });
    expect(filesWith(data, [erased])).toEqual([]);
    expect(await choicesOf(other, data)).toMatchObject(choices[other]!);
  });
});
