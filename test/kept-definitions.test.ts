import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KeptDefinitions } from '../src/kept-definitions.ts';
import { keepDefinitions } from './support/data-folder.ts';
import { definitionsOf } from './support/decisions.ts';
import { tempFolder } from './support/temp-folder.ts';

const first = definitionsOf({ orgId: 'A', hash: 'aaaaaaaaaaaaaaaa' });
const second = definitionsOf({ orgId: 'A', hash: 'bbbbbbbbbbbbbbbb' });
const other = definitionsOf({ orgId: 'B', hash: 'cccccccccccccccc' });

test('Of each org those are the latest that came into force last, whichever were written last', async () => {
  const data = tempFolder();
  keepDefinitions(data, first, second, other);
  const set = (hash: string, seconds: number): void =>
    utimesSync(join(data, 'decisions', `${hash}.json`), seconds, seconds);
  set(second.hash, 1_000);
  set(first.hash, 2_000);
  writeFileSync(join(data, 'decisions', 'notes.txt'), 'not one of them');
  const latest = await new KeptDefinitions(data).latest();
  expect([...latest.values()].map(({ hash }) => hash).sort()).toEqual([first.hash, other.hash]);
});

test('What is not there is null, and what is damaged is said', async () => {
  const data = tempFolder();
  expect(await new KeptDefinitions(data).latest()).toEqual(new Map());
  mkdirSync(join(data, 'decisions'));
  writeFileSync(join(data, 'decisions', `${first.hash}.json`), '{"orgId":');
  const kept = new KeptDefinitions(data);
  expect(await kept.of(second.hash)).toBeNull();
  expect(await kept.of('../../etc/passwd')).toBeNull();
  await expect(kept.of(first.hash)).rejects.toThrow(/aaaaaaaaaaaaaaaa\.json is damaged: it is no JSON\./);
});
