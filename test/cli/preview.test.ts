import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { PREVIEWS_MAX, PreviewSeal } from '../../src/stages/preview-seal.ts';
import { weir } from '../support/command.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { workspaceFolder, writeFile } from '../support/workspace-folder.ts';

const ORG = '0123@AdobeOrg';
const OTHER = 'OTHER@AdobeOrg';
const KEY = 'ab'.repeat(32);
const seal = new PreviewSeal([Buffer.from(KEY, 'hex')]);
const activity = (id: string, org = ORG) =>
  `id: ${id}\norg: ${org}\nscope: ${id}\nexperiences: [{ id: a, html: A }, { id: spring, html: B }]\n`;
const FILES = {
  'datastreams/other.yaml': `id: other\norg: ${OTHER}\nname: Other\n`,
  'activities/hero.yaml': activity('hero'),
  'activities/banner.yaml': activity('banner'),
  'activities/shared.yaml': activity('shared'),
  'activities/shared-too.yaml': activity('shared', OTHER),
  'offers/closing.yaml': `org: ${ORG}
placements: [{ id: bar, type: html }, { id: box, type: html }]
offers: [{ id: gold, content: { bar: G, box: G } }, { id: last, content: { bar: L } }, { id: spare, content: { bar: S } }]
decisions:
  - id: closing
    placements: [{ placement: bar, offers: [gold], fallback: last }, { placement: box, offers: [gold] }]
`,
};

function dataFolder(): string {
  const data = tempFolder();
  writeFile(data, 'keys/event-tokens.keys', KEY);
  return data;
}

const preview = (...args: string[]) => {
  const named = args.includes('--activity') ? [] : ['--activity', 'hero'];
  const more = args.includes('--experience') ? [] : ['--experience', 'spring'];
  const data = args.includes('--data') ? [] : ['--data', dataFolder()];
  return weir('preview', ...named, ...more, ...data, '--workspace', workspaceFolder(FILES), ...args);
};
const tokensOf = (link: string): string[] =>
  (new URL(link.trim(), 'http://x').searchParams.get('weir_preview') ?? '').split(',');

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('weir preview', () => {
  test('prints the parameter, signed with the server’s key, for a week', async () => {
    const { code, out, err } = await preview();
    expect([code, err]).toEqual([0, '']);
    const [, token] = /^weir_preview=([\w-]+)\n$/.exec(out)!;
    const opened = seal.open(ORG, token!)!;
    expect(opened).toMatchObject({ activityId: 'hero', experienceId: 'spring' });
    expect(Math.round((opened.expiresAtSeconds - Date.now() / 1000) / 86_400)).toBe(7);
    expect(seal.open(OTHER, token!)).toBeNull();
  });

  test('--url: the page’s own parameters, fragment and previews stay', async () => {
    const { out } = await preview('--url', 'https://shop.example/cart?a=1#top');
    expect(out).toMatch(/^https:\/\/shop\.example\/cart\?a=1&weir_preview=[\w-]+#top\n$/);
    const second = await preview('--activity', 'banner', '--experience', 'a', '--url', out.trim());
    expect(tokensOf(second.out).map((token) => seal.open(ORG, token)?.activityId)).toEqual(['hero', 'banner']);
    const tokens = (count: number) => `https://shop.example/?weir_preview=${Array(count).fill('t').join(',')}`;
    expect(tokensOf((await preview('--url', tokens(PREVIEWS_MAX - 1))).out)).toHaveLength(PREVIEWS_MAX);
    const full = await preview('--url', tokens(PREVIEWS_MAX));
    expect([full.code, full.err]).toEqual([1, expect.stringContaining('10 previews already')]);
  });

  test.each([
    ['1', 1],
    ['90', 90],
  ])('--days %s', async (text, days) => {
    const opened = seal.open(ORG, tokensOf(`/?${(await preview('--days', text)).out}`)[0]!)!;
    expect(Math.round((opened.expiresAtSeconds - Date.now() / 1000) / 86_400)).toBe(days);
  });

  test.each(['0', '91', '1.5', '-1', 'week', '1e1'])('--days %s is refused', async (days) => {
    const { code, err } = await preview(`--days=${days}`);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining(`--days is '${days}'; it takes a whole number from 1 to 90.`),
    ]);
  });

  test.each([
    ['no activity', ['--experience', 'a', '--workspace', 'w', '--data', 'd'], '--activity is missing'],
    ['no experience', ['--activity', 'a', '--workspace', 'w', '--data', 'd'], '--experience is missing'],
    ['no workspace', ['--activity', 'a', '--experience', 'a', '--data', 'd'], '--workspace is missing'],
    ['no data', ['--activity', 'a', '--experience', 'a', '--workspace', 'w'], '--data is missing'],
  ])('%s: called wrongly', async (_what, args, word) => {
    const { code, err } = await weir('preview', ...args);
    expect([code, err]).toEqual([2, expect.stringContaining(word)]);
  });

  test.each(['shop.example', 'ftp://shop.example', 'https://'])('--url %s is refused', async (url) => {
    const { code, err } = await preview('--url', url);
    expect([code, err]).toEqual([2, expect.stringContaining(`--url is '${url}'`)]);
  });

  test.each<[string, string[], string]>([
    ['an activity that was misspelt', ['--activity', 'heor'], "There is no activity 'heor'. Did you mean 'hero'?"],
    [
      'an unknown one',
      ['--activity', 'x'],
      "There is no activity 'x'. Known: 'banner', 'hero', 'shared', 'closing~bar', 'closing~box'.",
    ],
    [
      'one of another org',
      ['--activity', 'banner', '--org', OTHER],
      "There is no activity 'banner' of 'OTHER@AdobeOrg'. Known: 'shared'.",
    ],
    [
      'a misspelt experience',
      ['--experience', 'sprnig'],
      "The activity 'hero' has no experience 'sprnig'. Did you mean 'spring'?",
    ],
    ['an unknown one', ['--experience', 'zz'], "has no experience 'zz'. Known: 'a', 'spring'."],
    [
      'an unknown org',
      ['--org', 'OHTER@AdobeOrg'],
      "The org 'OHTER@AdobeOrg' has no activities. Did you mean 'OTHER@AdobeOrg'?",
    ],
    ['one that two orgs have', ['--activity', 'shared'], 'Say which with --org.'],
  ])('%s: which was meant', async (_, args, word) => {
    const { code, err } = await preview(...args);
    expect([code, err]).toEqual([1, expect.stringContaining(word)]);
  });

  test.each([['gold'], ['last'], ['last,gold']])('offers at a placement: %s', async (offers) => {
    const { out, err } = await preview('--activity', 'closing~bar', '--experience', offers);
    expect(err).toBe('');
    expect(seal.open(ORG, tokensOf(`/?${out}`)[0]!)).toMatchObject({ activityId: 'closing~bar', experienceId: offers });
  });

  test.each<[string, string, string, string]>([
    ['that is not listed there', 'closing~bar', 'gold,spare', "The placement 'closing~bar' has no offer 'spare'."],
    ['that nobody has', 'closing~bar', 'gold,', "The placement 'closing~bar' has no offer ''."],
    ['of a decision alone', 'closing', 'gold', "There is no activity 'closing'."],
  ])('an offer %s', async (_, place, offers, word) => {
    const { code, err } = await preview('--activity', place, '--experience', offers);
    expect([code, err]).toEqual([1, expect.stringContaining(word)]);
  });

  test('of the org that is named', async () => {
    const { out } = await preview('--activity', 'shared', '--org', OTHER);
    expect(seal.open(OTHER, tokensOf(`/?${out}`)[0]!)).toMatchObject({ activityId: 'shared' });
  });

  test('makes no keys: a folder without is told of, and stays as it is', async () => {
    const data = tempFolder();
    const { code, err } = await preview('--data', data);
    expect([code, err]).toEqual([1, expect.stringContaining('There are no keys in')]);
    expect(readdirSync(data)).toEqual([]);
    const absent = await preview('--data', join(data, 'none'));
    expect([absent.code, absent.err]).toEqual([1, expect.stringContaining('There is no folder')]);
  });

  test('takes the keys of the environment, and of the file in weir.yaml', async () => {
    const other = 'cd'.repeat(32);
    vi.stubEnv('WEIR_EVENT_TOKEN_KEYS', other);
    const { out } = await preview();
    expect(new PreviewSeal([Buffer.from(other, 'hex')]).open(ORG, tokensOf(`/?${out}`)[0]!)).not.toBeNull();
    vi.unstubAllEnvs();
    const workspace = workspaceFolder({ ...FILES, 'weir.yaml': 'decisions: { keysFile: k }\n', k: other });
    const args = ['--activity', 'hero', '--experience', 'a', '--data', dataFolder(), '--workspace', workspace];
    const fromFile = await weir('preview', ...args);
    expect(fromFile.err).toBe('');
    expect(new PreviewSeal([Buffer.from(other, 'hex')]).open(ORG, tokensOf(`/?${fromFile.out}`)[0]!)).not.toBeNull();
  });

  test('a workspace with errors', async () => {
    const workspace = workspaceFolder({ 'weir.yaml': '[]' });
    const { code, err } = await weir(
      ...['preview', '--activity', 'a', '--experience', 'a', '--data', dataFolder(), '--workspace', workspace],
    );
    expect([code, err]).toEqual([1, expect.stringContaining('weir check')]);
  });
});
