import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SHOWN_MAX } from '../../src/cli/import.ts';
import { BATCH_ROWS, importFile } from '../../src/importing.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { weir as command, type Ran } from '../support/command.ts';
import { post } from '../support/raw-http.ts';
import { decodeAnswer } from '../support/strict-decoder.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

const ORG = 'TEST@AdobeOrg';
const fpid = (number: number): string => `8f1c0b6e-3d52-4c7a-9e41-${String(number).padStart(12, '0')}`;
const ecid = (number: number): string => String(number).padStart(38, '5');
const ndjson = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

async function halted(): Promise<Weir> {
  const weir = await startWeir();
  onTestFinished(() => weir.stop());
  await weir.halt();
  return weir;
}
function written(name: string, text: string): string {
  const path = join(tempFolder(), name);
  writeFileSync(path, text);
  return path;
}
function imported({ workspace, data }: Weir, kind: string, file: string, ...more: string[]): Promise<Ran> {
  return command('import', '--kind', kind, '--workspace', workspace, '--data', data, ...more, file);
}
async function ecidOf(weir: Weir, id: string): Promise<unknown> {
  const body = { events: [{ xdm: { identityMap: { FPID: [{ id }] } } }], query: { identity: { fetch: ['ECID'] } } };
  const answer = await post(weir.edge, '/ee/v1/interact?configId=shop', body);
  const result = decodeAnswer(answer.json).handle.find(({ type }) => type === 'identity:result');
  return (result!.payload as JsonObject[])[0]!['id'];
}

describe('identities', () => {
  test('keep their ECIDs, which outrank what their FPIDs would derive; FPIDs are stored nowhere', async () => {
    const weir = await halted();
    const file = written('a.ndjson', ndjson([1, 2].map((n) => ({ fpid: fpid(n).toUpperCase(), ecid: ecid(n) }))));
    expect(await imported(weir, 'identity', file, '--org', ORG)).toEqual({
      code: 0,
      out: '2 imported, 0 refused.\n',
      err: '',
    });
    await weir.restart();
    expect([await ecidOf(weir, fpid(1)), await ecidOf(weir, fpid(2))]).toEqual([ecid(1), ecid(2)]);
    expect(await ecidOf(weir, fpid(3))).not.toBe(ecid(3));
    expect((await weir.events()).map(({ xdm }) => xdm['identityMap'])).toContainEqual({
      ECID: [{ id: ecid(1), authenticatedState: 'ambiguous', primary: true }],
    });
    await weir.halt();
    for (const name of readdirSync(weir.data, { recursive: true, encoding: 'utf8' })) {
      const path = join(weir.data, name);
      if (statSync(path).isFile()) expect(readFileSync(path).toString('latin1').toLowerCase()).not.toContain(fpid(1));
    }
  });

  test('of CSV, with quotes, a byte order mark and Windows line ends', async () => {
    const weir = await halted();
    const text = `\uFEFForg, fpid ,ecid\r\n"${ORG}",${fpid(1)},"${ecid(1)}"\r\n\r\n`;
    expect((await imported(weir, 'identity', written('a.CSV', text))).out).toBe('1 imported, 0 refused.\n');
    await weir.restart();
    expect(await ecidOf(weir, fpid(1))).toBe(ecid(1));
  });

  test('that are wrong are named by line, without their values; the others are imported', async () => {
    const weir = await halted();
    const bad: readonly (readonly [string, string])[] = [
      ['{"fpid":"secret"', 'It is no JSON object.'],
      ['[1]', 'It is no JSON object.'],
      [JSON.stringify({ fpid: 'secret', ecid: ecid(1) }), "Its 'fpid' is no version-4 UUID."],
      [
        JSON.stringify({ fpid: fpid(1), ecid: '1.2e37' }),
        "Its 'ecid' has not 38 digits. In CSV from a spreadsheet: format the column as text.",
      ],
      [
        JSON.stringify({ fpid: fpid(1), ecid: ecid(1), org: 'secret' }),
        "Its 'org' has no datastream in this workspace.",
      ],
      [JSON.stringify({ a: 'x'.repeat(65_536) }), 'It has 65544 characters; at most 65536 are taken.'],
    ];
    const good = JSON.stringify({ fpid: fpid(1), ecid: ecid(1), org: ORG });
    const file = written('a.ndjson', [...bad.map(([text]) => text), good].join('\n'));
    const { code, out, err } = await imported(weir, 'identity', file, '--org', ORG);
    expect({ code, out }).toEqual({ code: 1, out: '1 imported, 6 refused.\n' });
    expect(err).toBe(bad.map(([, why], index) => `${file}:${index + 1}: ${why}\n`).join(''));
    expect(err).not.toContain('secret');
  });

  test('without an org are refused, and of many refusals some are shown', async () => {
    const weir = await halted();
    const rows = Array.from({ length: SHOWN_MAX + 5 }, (_, n) => ({ fpid: fpid(n), ecid: ecid(n) }));
    const { out, err } = await imported(weir, 'identity', written('a.ndjson', ndjson(rows)));
    expect(out).toBe('0 imported, 25 refused.\n');
    expect(err.match(/It has no 'org', and there is no --org\./g)).toHaveLength(SHOWN_MAX);
  });
});

describe('consent', () => {
  const out = { standard: 'Adobe', version: '2.0', value: { collect: { val: 'n' } } };
  const statusOf = async (weir: Weir, id: string): Promise<string> => {
    const answer = await post(weir.edge, '/ee/v1/interact?configId=shop', {
      events: [{ xdm: { identityMap: { ECID: [{ id }] } } }],
    });
    return decodeAnswer(answer.json).warnings.some(({ type }) => String(type).includes('0301')) ? 'out' : 'in';
  };

  test('holds from the first request on, as if it had come by set-consent', async () => {
    const weir = await halted();
    const lines = ndjson([
      { ecid: ecid(1), consent: [out] },
      { ecid: ecid(2), consent: [{ ...out, value: { collect: { val: 'y' } } }] },
      { ecid: ecid(3), consent: [{ ...out, version: '9' }] },
      { ecid: ecid(3), consent: 'n' },
      { ecid: ecid(3), consent: [out], datastream: 'nobodys' },
    ]);
    const { code, err, ...rest } = await imported(weir, 'consent', written('a.ndjson', lines), '--datastream', 'shop');
    expect({ code, ...rest }).toEqual({ code: 1, out: '2 imported, 3 refused.\n' });
    expect(err).toMatch(
      /:4: Its 'consent' is no array of objects\.\n.*:5: Its 'datastream' is not in this workspace\.\n.*:3: The field 'consent\[0\]\.version'/s,
    );
    await weir.restart();
    expect([await statusOf(weir, ecid(1)), await statusOf(weir, ecid(2)), await statusOf(weir, ecid(4))]).toEqual([
      'out',
      'in',
      'in',
    ]);
  });

  test('of CSV, in columns', async () => {
    const weir = await halted();
    const text = `ecid,standard,version,value,datastream\n${ecid(1)},Adobe,2.0,"{""collect"":{""val"":""n""}}",shop\n${ecid(2)},Adobe,1.0,"{""general"":""out""}",shop\n`;
    expect((await imported(weir, 'consent', written('a.csv', text))).out).toBe('2 imported, 0 refused.\n');
    await weir.restart();
    expect([await statusOf(weir, ecid(1)), await statusOf(weir, ecid(2))]).toEqual(['out', 'out']);
  });
});

describe('a run', () => {
  const rows = (count: number): string =>
    ndjson(Array.from({ length: count }, (_, n) => ({ fpid: fpid(n), ecid: ecid(n) })));

  test('that is dry judges everything and writes nothing, not even keys', async () => {
    const weir = await halted();
    const before = (await weir.records()).length;
    const data = join(weir.data, 'absent');
    const file = written('a.ndjson', `${rows(3)}x\n`);
    const { code, out } = await imported({ ...weir, data }, 'identity', file, '--org', ORG, '--dry-run');
    expect({ code, out }).toEqual({ code: 1, out: '3 good, nothing written, 1 refused.\n' });
    expect(readdirSync(weir.data)).not.toContain('absent');
    expect((await weir.records()).length).toBe(before);
    const bad = ndjson([
      { ecid: ecid(1), consent: [] },
      { ecid: ecid(1), consent: [{}] },
    ]);
    const judged = await imported(weir, 'consent', written('a.ndjson', bad), '--datastream', 'shop', '--dry-run');
    expect(judged.out).toBe('0 good, nothing written, 2 refused.\n');
  });

  test('that was interrupted goes on where it stopped; a file that was imported is not imported again', async () => {
    const weir = await halted();
    const { workspace, data } = weir;
    const count = 3 * BATCH_ROWS + 7;
    const file = written('a.ndjson', rows(count));
    const stop = new AbortController();
    const quiet = { info() {}, warn() {}, error() {} };
    const progress: number[] = [];
    const request = {
      workspace,
      data,
      kind: 'identity',
      file,
      owner: ORG,
      dryRun: false,
      log: quiet,
      onRefused: () => {},
    } as const;
    const onProgress = (line: number): void => {
      progress.push(line);
      if (line === 2 * BATCH_ROWS) stop.abort();
    };
    expect(await importFile({ ...request, onProgress, signal: stop.signal })).toEqual({
      imported: 1_000,
      refused: 0,
      resumedBehind: 0,
      refusedBefore: 0,
      isDone: false,
    });
    expect(progress).toEqual([500, 1_000, 1_000]);
    expect((await imported(weir, 'identity', file, '--org', ORG)).out).toBe(
      '507 imported, 0 refused (from line 1001 on, where it had stopped).\n',
    );
    expect(await imported(weir, 'identity', file, '--org', ORG)).toMatchObject({
      code: 0,
      out: 'This file was imported before: nothing to do.\n',
    });
    const changes = (await weir.records()).flatMap(({ record }) => record.changes);
    expect(changes).toHaveLength(count);
    await weir.restart();
    for (const n of [0, 999, 1_000, count - 1]) expect(await ecidOf(weir, fpid(n))).toBe(ecid(n));
  });

  test('that imported nothing is not remembered: the same file is taken when the command is mended', async () => {
    const weir = await halted();
    const file = written('a.ndjson', rows(2));
    expect((await imported(weir, 'identity', file)).out).toBe('0 imported, 2 refused.\n');
    expect(await imported(weir, 'identity', file, '--org', ORG)).toMatchObject({
      code: 0,
      out: '2 imported, 0 refused.\n',
    });
  });

  test('of a file that was imported says what was refused then, and so does its exit code', async () => {
    const weir = await halted();
    const file = written('a.ndjson', `${rows(BATCH_ROWS + 1)}x\ny\n`);
    expect((await imported(weir, 'identity', file, '--org', ORG)).out).toBe('501 imported, 2 refused.\n');
    expect(await imported(weir, 'identity', file, '--org', ORG)).toMatchObject({
      code: 1,
      out: 'This file was imported before: nothing to do. 2 refused then: mend them, and import them in another file.\n',
    });
  });

  test('into a folder without a log says that it makes one', async () => {
    const weir = await halted();
    const data = join(weir.data, 'new');
    const { code, err } = await imported({ ...weir, data }, 'identity', written('a.ndjson', rows(1)), '--org', ORG);
    expect(code).toBe(0);
    expect(err).toContain(`weir import: There is no event log in '${data}' yet: one is made.`);
  });

  test('for an org or a datastream that is not there is refused before anything is read or written', async () => {
    const weir = await halted();
    const file = written('a.ndjson', rows(1));
    const before = readdirSync(weir.data).toSorted();
    const org = await imported(weir, 'identity', file, '--org', 'TSET@AdobeOrg');
    expect(org).toMatchObject({ code: 1, out: '' });
    expect(org.err).toContain(`The org 'TSET@AdobeOrg' has no datastream in ${weir.workspace}. Did you mean '${ORG}'?`);
    const datastream = await imported(weir, 'consent', file, '--datastream', 'shp');
    expect(datastream.err).toContain(`There is no datastream 'shp' in ${weir.workspace}. Did you mean 'shop'?`);
    expect(readdirSync(weir.data).toSorted()).toEqual(before);
  });

  test('under another key than the server’s is refused: its pairs would never be found', async () => {
    const weir = await halted();
    writeFileSync(join(weir.data, 'keys/fpid.key'), '0a'.repeat(32));
    const { code, err } = await imported(weir, 'identity', written('a.ndjson', rows(1)), '--org', ORG);
    expect(code).toBe(1);
    expect(err).toContain('is not the one of before');
  });

  test('beside a running server is refused', async () => {
    const weir = await halted();
    await weir.restart();
    const { code, err } = await imported(weir, 'identity', written('a.ndjson', rows(1)), '--org', ORG);
    expect(code).toBe(1);
    expect(err).toContain('is in use by process');
  });
});

test.each([
  [['--workspace', 'w', '--data', 'd', 'f'], '--kind is missing'],
  [['--kind', 'events', 'f'], "--kind is 'events'"],
  [['--kind', 'identity', '--data', 'd', 'f'], '--workspace is missing'],
  [['--kind', 'identity', '--workspace', 'w', 'f'], '--data is missing'],
  [['--kind', 'identity', '--workspace', 'w', '--data', 'd'], 'Say which FILE'],
  [['--kind', 'identity', '--workspace', 'w', '--data', 'd', 'f', 'g'], "'g' is one argument too many"],
  [
    ['--kind', 'identity', '--workspace', 'w', '--data', 'd', '--datastream', 's', 'f'],
    '--datastream belongs to --kind consent',
  ],
  [['--kind', 'consent', '--workspace', 'w', '--data', 'd', '--org', 'o', 'f'], '--org belongs to --kind identity'],
])('called wrongly: %j', async (args, message) => {
  const { code, err } = await command('import', ...args);
  expect(code).toBe(2);
  expect(err).toContain(message);
});
