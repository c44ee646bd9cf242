import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadWorkspace } from '../../src/config/workspace.ts';
import { LEAST_FILES, workspaceFolder } from '../support/workspace-folder.ts';

/** Every mistake, with the place that is told and the words that follow. */

const SHOP = LEAST_FILES['datastreams/shop.yaml']!;
const WEIR_KEYS =
  'basePath, region, regions, proxies, deadlineMs, requestBytesMax, log, consent, duplicates, listeners, requestUnits, auth, identity, thirdParty, tracing, admin, decisions, site';

async function findings(files: Parameters<typeof workspaceFolder>[0]): Promise<string[]> {
  const loaded = await loadWorkspace(workspaceFolder(files));
  return (loaded.ok ? loaded.warnings : loaded.findings).map(String);
}

describe('mistakes in weir.yaml', () => {
  const list = 'proxies: [a, b\nregion: or2\n';
  test.each<[what: string, text: string, ...told: string[]]>([
    [
      'a key that is nearly known',
      'deadlineMs: 2000\nregoin: or2\n',
      "2:1: The key 'regoin' is not known in the file. Did you mean 'region'?",
    ],
    ['a key of no option', 'tokens: 3\n', `1:1: The key 'tokens' is not known in the file. Known here: ${WEIR_KEYS}.`],
    [
      'a key further in',
      'log:\n  retention:\n    maxAge: 3\n',
      "3:5: The key 'maxAge' is not known in 'log.retention'. Known here: maxAgeDays, maxBytes.",
    ],
    [
      'a prototype',
      '__proto__: {region: or2}\n',
      `1:1: The key '__proto__' is not known in the file. Known here: ${WEIR_KEYS}.`,
    ],
    ['a merge key', 'log: &a {}\n<<: *a\n', `2:1: The key '<<' is not known in the file. Known here: ${WEIR_KEYS}.`],
    [
      'a text for a number',
      'deadlineMs: 2s\n',
      '1:13: \'deadlineMs\' is "2s". It takes a whole number from 100 to 4500.',
    ],
    [
      'too small a number, as it is written',
      'deadlineMs: 0x0F\n',
      "1:13: 'deadlineMs' is 0x0F. It takes a whole number from 100 to 4500.",
    ],
    ['a fraction', 'deadlineMs: 1999.5\n', "1:13: 'deadlineMs' is 1999.5. It takes a whole number from 100 to 4500."],
    ['a fraction alone', 'deadlineMs: .5\n', "1:13: 'deadlineMs' is .5. It takes a whole number from 100 to 4500."],
    [
      'no value',
      'deadlineMs:\nregion: or2\n',
      "1:12: 'deadlineMs' has no value. It takes a whole number from 100 to 4500.",
    ],
    ['null', 'deadlineMs: null\n', "1:13: 'deadlineMs' is null. It takes a whole number from 100 to 4500."],
    [
      'a list for a map',
      'log:\n  - a\n',
      "2:3: 'log' is a list of 1. It takes a map of: segmentBytes, queueBytesMax, queueAgeMsMax, lowWaterBytes, reservedBytes, retention.",
    ],
    ['a map for a list', 'proxies:\n  a: b\n', "2:3: 'proxies' is a map. It takes a list of 0 to 256 items."],
    ['a list as the file', '- a\n', `1:1: The file is a list of 1. It takes a map of: ${WEIR_KEYS}.`],
    ['a text as the file', 'hello\n', `1:1: The file is "hello". It takes a map of: ${WEIR_KEYS}.`],
    ['an empty file', '', '1:1: The file is empty. Write what belongs into it, or {} for nothing but defaults.'],
    [
      'nothing but comments',
      '# x\n',
      '1:1: The file is empty. Write what belongs into it, or {} for nothing but defaults.',
    ],
    [
      'a base path with slashes',
      'basePath: /ee\n',
      '1:11: \'basePath\' is "/ee". It takes one path segment without slashes: letters, digits, - and _, such as ee.',
    ],
    [
      'a hint that paths use otherwise',
      'region: t35\n',
      '1:9: \'region\' is "t35". It takes 2 to 16 lower-case letters and digits, a letter first, such as or2; not va, and not v or t with digits only, which paths use otherwise.',
    ],
    [
      'a region that no table has',
      'region: va7\n',
      "1:9: 'region' is va7, which is not in the table of regions. It takes one of: or2, va6, irl1, ind1, jpn3, sgp3, aus3.",
    ],
    [
      'a table without the own region',
      'regions:\n  - {hint: eu1, targetId: 1, audienceManagerId: 1}\n',
      "2:3: 'regions' has no or2, which is the server's own region unless 'region' names another. Add it, or set 'region' to one of: eu1.",
    ],
    [
      'a region twice',
      'region: eu1\nregions:\n  - {hint: eu1, targetId: 1, audienceManagerId: 1}\n  - {hint: eu1, targetId: 1, audienceManagerId: 2}\n',
      "4:12: 'regions[1].hint' is eu1, as in a region before it. Paths lead to one region: give it another one.",
      "4:27: 'regions[1].targetId' is 1, as in a region before it. Paths lead to one region: give it another one.",
    ],
    [
      'half a region',
      'regions:\n  - hint: or2\n    targetId: 0\n',
      "2:5: The key 'audienceManagerId' is missing in 'regions[0]'. Add it, as in: audienceManagerId: 9",
      "3:15: 'regions[0].targetId' is 0. It takes a whole number from 1 to 999999999.",
    ],
    ['no region', 'regions: []\n', "1:10: 'regions' is an empty list. It takes a list of 1 to 64 items."],
    [
      'proxies that are no networks',
      'proxies:\n  - 10.0.0.0/8\n  - 10.0.0.0/33\n  - nginx\n',
      '3:5: \'proxies[1]\' is "10.0.0.0/33". An IPv4 network takes a prefix length from 0 to 32 behind the slash.',
      '4:5: \'proxies[2]\' is "nginx". It takes an address, or an address and a prefix length: 10.0.0.0/8, 192.0.2.7, fd00::/8.',
    ],
    [
      'a proxy twice',
      'proxies: ["::1", 10.0.0.1, "::1"]\n',
      "1:28: 'proxies[2]' stands in the list before. Remove one of the two.",
    ],
    [
      'an item that is an alias',
      'proxies: [&a 10.0.0.1, *a]\n',
      "1:24: 'proxies[1]' stands in the list before. Remove one of the two.",
    ],
    [
      'ports',
      'listeners: {edgePort: 65536, tlsPort: x}\n',
      "1:23: 'listeners.edgePort' is 65536. It takes a whole number from 0 to 65535.",
      '1:39: \'listeners.tlsPort\' is "x". It takes a whole number from 0 to 65535 or null.',
    ],
    ['a site without pages', 'site: {}\n', "1:7: The key 'root' is missing in 'site'. Add it, as in: root: site"],
    [
      'a file without a path',
      'site:\n  root: site\n  files:\n    b.js: lib/b.js\n',
      "4:5: The key 'b.js' cannot be used in 'site.files'. It takes a path that begins with a slash, such as /alloy.js.",
    ],
    [
      'a key twice',
      'region: or2\ndeadlineMs: 2000\nregion: va6\n',
      "3:1: The key 'region' stands twice in the same map. Keep one of the two.",
    ],
    ['two documents', '{}\n---\n{}\n', '2:1: A second document begins here (---). Keep one document in a file.'],
    ['a tab', 'log:\n\tsegmentBytes: 1\n', '2:1: The line is indented with a tab. YAML takes spaces only.'],
    [
      'crooked lines',
      'log:\n  segmentBytes: 1\n queueBytesMax: 2\n',
      '3:1: This is not YAML: All mapping items must start at the same column. Check the indentation, the quotes and the brackets up to here.',
    ],
    [
      'a bracket left open',
      list,
      '2:1: This is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]. Check the indentation, the quotes and the brackets up to here.',
    ],
    [
      'a tag',
      'region: !secret or2\n',
      '1:9: The tag (!…) is not known here. Leave it out; put texts that begin with ! in quotes.',
    ],
    [
      'a standard tag',
      'region: !!binary or2\n',
      '1:9: The tag (!…) is not known here. Leave it out; put texts that begin with ! in quotes.',
    ],
    [
      'an alias of nothing',
      'region: *own\n',
      '1:9: The alias (*…) has no anchor (&…) before it. Put texts that begin with * in quotes.',
    ],
    [
      'an endless value',
      'log: &a\n  retention: *a\n',
      '1:1: An alias (*…) stands within its own anchor (&…), so the value has no end.',
    ],
    ['a key that is a list', '[a, b]: c\n', '1:1: The key is not a text. Put it in quotes.'],
  ])('%s', async (_, text, ...told) => {
    expect(await findings({ 'weir.yaml': text })).toEqual(told.map((one) => `weir.yaml:${one}`));
  });
});

test('an age of events that the log undercuts is said', async () => {
  const shop = `${SHOP}retention:
  maxAgeDays: 31
  eventTypes: {a: {maxAgeDays: 30}, b: {maxAgeDays: null}}
environments: {dev: {retention: {eventTypes: {c: {maxAgeDays: 32}}}}}
`;
  const weir = 'log: {retention: {maxAgeDays: 30}}\n';
  const warning = (at: string, key: string, days: number): string =>
    `datastreams/shop.yaml:${at}: warning: '${key}' is ${days}, but 'log.retention.maxAgeDays' of weir.yaml is 30: the log drops these events before. Raise the one or lower the other.`;
  expect(await findings({ 'weir.yaml': weir, 'datastreams/shop.yaml': shop })).toEqual([
    warning('5:15', 'retention.maxAgeDays', 31),
    warning('7:63', 'environments.dev.retention.eventTypes.c.maxAgeDays', 32),
  ]);
  expect(await findings({ 'datastreams/shop.yaml': shop })).toEqual([]);
});

describe('mistakes in a datastream', () => {
  const org = 'It becomes part of cookie names, so it takes letters, digits, @, _, - and . only.';
  const id = 'It takes printable ASCII characters without spaces, : and /.';
  test.each<[what: string, text: string, ...told: string[]]>([
    [
      'what is missing',
      'id: shop\n',
      "1:1: The key 'name' is missing in the file. Add it, as in: name: Demo shop",
      "1:1: The key 'org' is missing in the file. Add it, as in: org: 0123456789ABCDEF01234567@AdobeOrg",
    ],
    [
      'texts that YAML takes for something else',
      'id: 0123\norg: 1e3\nname: true\n',
      '1:5: \'id\' is 0123. It takes a text of 1 to 128 characters. Put it in quotes: "0123".',
      '2:6: \'org\' is 1e3. It takes a text of 1 to 128 characters. Put it in quotes: "1e3".',
      '3:7: \'name\' is true. It takes a text of 1 to 256 characters. Put it in quotes: "true".',
    ],
    // In quotes it would be refused as it is.
    [
      'a text that YAML takes for something else, and cannot be',
      'id: shop\norg: 1.5e+3\nname: x\n',
      `2:6: 'org' is 1.5e+3. ${org}`,
    ],
    [
      'texts that cannot be',
      'id: "my shop"\norg: Org Inc\nname: ""\n',
      `1:5: 'id' is "my shop". ${id}`,
      `2:6: 'org' is "Org Inc". ${org}`,
      '3:7: \'name\' is "". It takes a text of 1 to 256 characters.',
    ],
    ['an environment in the id', 'id: shop:dev\norg: O\nname: x\n', `1:5: 'id' is "shop:dev". ${id}`],
    ['a slash in the id', 'id: a/b\norg: O\nname: x\n', `1:5: 'id' is "a/b". ${id}`],
    ['an org that breaks cookies', 'id: shop\norg: a;b\nname: x\n', `2:6: 'org' is "a;b". ${org}`],
    [
      'an access type',
      `${SHOP}access: authentictaed\n`,
      "4:9: 'access' is \"authentictaed\". It takes mixed or authenticated. Did you mean 'authenticated'?",
    ],
    ['a yes', `${SHOP}enabled: yes\n`, '4:10: \'enabled\' is "yes". It takes true or false.'],
    [
      'origins',
      `${SHOP}origins:\n  - https://shop.example\n  - https://shop.example/\n  - "*"\n`,
      '6:5: \'origins[1]\' is "https://shop.example/". It takes a scheme, a host and perhaps a port, without a path, here: https://shop.example.',
      "7:5: 'origins[2]' is \"*\". Patterns are not taken. List each origin, or leave out 'origins' to take every one.",
    ],
    [
      'an origin without quotes',
      `${SHOP}origins: [null]\n`,
      "4:11: 'origins[0]' is null. It takes a text of 1 to 512 characters.",
    ],
    [
      'an asterisk without quotes',
      `${SHOP}origins:\n  - *\n`,
      '5:5: The alias (*…) has no anchor (&…) before it. Put texts that begin with * in quotes.',
    ],
    [
      'one origin',
      `${SHOP}origins: https://shop.example\n`,
      '4:10: \'origins\' is "https://shop.example". It takes a list of 0 to 1000 items.',
    ],
    [
      'services',
      `${SHOP}services:\n  decision: {enabled: true}\n  media: true\n  offers: {enable: true}\n`,
      "5:3: The key 'decision' is not known in 'services'. Did you mean 'decisions'?",
      "6:10: 'services.media' is true. It takes a map of: enabled.",
      "7:12: The key 'enable' is not known in 'services.offers'. Did you mean 'enabled'?",
    ],
    [
      'overrides',
      `${SHOP}overrides:
  unregistered: rejct
  registered:
    com_adobe_analytic: {}
    com_adobe_target: {propertyToken: abc}
    com_adobe_identity: {idSyncContainerId: [12, "13", x]}
`,
      "5:17: 'overrides.unregistered' is \"rejct\". It takes reject or warn. Did you mean 'reject'?",
      "7:5: The key 'com_adobe_analytic' is not known in 'overrides.registered'. Did you mean 'com_adobe_analytics'?",
      '8:39: \'overrides.registered.com_adobe_target.propertyToken\' is "abc". It takes a list of 1 to 1000 items.',
      '9:56: \'overrides.registered.com_adobe_identity.idSyncContainerId[2]\' is "x". It takes a number.',
    ],
    [
      'consent',
      `${SHOP}consent: { default: yes, tcfVendor: 0 }\nenvironments: { dev: { consent: { tcfVendor: 8193 } } }\n`,
      '4:21: \'consent.default\' is "yes". It takes in or pending or out.',
      "4:37: 'consent.tcfVendor' is 0. It takes a whole number from 1 to 8192 or null.",
      "5:46: 'environments.dev.consent.tcfVendor' is 8193. It takes a whole number from 1 to 8192 or null.",
    ],
    [
      'environments',
      `${SHOP}environments:\n  dev:\n    org: other\n  "a b": {}\n  prod:\n`,
      "6:5: The key 'org' is not known in 'environments.dev'. Known here: name, enabled, access, origins, services, overrides, consent, ipObfuscation, retention, validation, identity.",
      "7:3: The key 'a b' cannot be used in 'environments'. It takes 1 to 64 printable ASCII characters without spaces, : and /.",
      "8:8: 'environments.prod' has no value. It takes a map of: name, enabled, access, origins, services, overrides, consent, ipObfuscation, retention, validation, identity.",
    ],
    [
      'an origin of an environment',
      `${SHOP}environments:\n  prod:\n    origins: [HTTPS://X.example]\n`,
      '6:15: \'environments.prod.origins[0]\' is "HTTPS://X.example". Browsers send origins in lower case. Write https://x.example.',
    ],
    ['an empty file', '', '1:1: The file is empty. Write what belongs into it, or {} for nothing but defaults.'],
    [
      'ages of events',
      `${SHOP}retention:\n  maxAgeDays: 0.99\n  days: 3\n  eventTypes:\n    a: {}\n    b: 30\n`,
      "5:15: 'retention.maxAgeDays' is 0.99. It takes a number from 1 to 36500 or null.",
      "6:3: The key 'days' is not known in 'retention'. Known here: maxAgeDays, eventTypes.",
      "8:8: The key 'maxAgeDays' is missing in 'retention.eventTypes.a'. Add 'maxAgeDays'.",
      "9:8: 'retention.eventTypes.b' is 30. It takes a map of: maxAgeDays.",
    ],
  ])('%s', async (_, text, ...told) => {
    expect(await findings({ 'datastreams/shop.yaml': text })).toEqual(
      told.map((one) => `datastreams/shop.yaml:${one}`),
    );
  });

  test('JSON has the same places', async () => {
    const json = '{\n  "$schema": "x",\n  "id": "shop",\n  "org": "O",\n  "nmae": "x"\n}\n';
    expect(await findings({ 'datastreams/shop.yaml': null, 'datastreams/shop.json': json })).toEqual([
      "datastreams/shop.json:1:1: The key 'name' is missing in the file. Add it, as in: name: Demo shop",
      "datastreams/shop.json:5:3: The key 'nmae' is not known in the file. Did you mean 'name'?",
    ]);
  });

  test('an id twice names both places', async () => {
    expect(await findings({ 'datastreams/a.yml': 'name: Other\nid: shop\norg: O@AdobeOrg\n' })).toEqual([
      "datastreams/shop.yaml:1:5: The id 'shop' is taken by datastreams/a.yml:2:5. Give one of the two another id.",
    ]);
  });

  test('two orgs whose cookies would have the same names', async () => {
    const file = (id: string, org: string) => `name: Other\nid: ${id}\norg: ${org}\n`;
    expect(
      await findings({ 'datastreams/a.yml': file('a', 'O_Adobe@Org'), 'datastreams/b.yml': file('b', 'O@Adobe_Org') }),
    ).toEqual([
      "datastreams/b.yml:3:6: The org 'O@Adobe_Org' would have the cookies of the org 'O_Adobe@Org' (datastreams/a.yml:3:6): '@' and '_' are one in their names. Give one of the two another org, or a server of its own.",
    ]);
    expect(await findings({ 'datastreams/a.yml': file('a', 'O@A'), 'datastreams/b.yml': file('b', 'O@A') })).toEqual(
      [],
    );
  });
});

describe('mistakes in the folder', () => {
  test.each<[what: string, files: Parameters<typeof workspaceFolder>[0], ...told: (string | RegExp)[]]>([
    [
      'no weir.yaml',
      { 'weir.yaml': null },
      'weir.yaml:1:1: The file is missing, so this folder is no workspace. Create it, with {} in it where every default is right; or check the path after --workspace.',
    ],
    [
      'weir.yml',
      { 'weir.yaml': null, 'weir.yml': '{}' },
      "weir.yaml:1:1: The file is missing. Rename 'weir.yml' to weir.yaml.",
    ],
    [
      'a folder weir.yaml',
      { 'weir.yaml': null, 'weir.yaml/x': '' },
      "weir.yaml:1:1: 'weir.yaml' cannot be read. It is a folder. It holds the options of the server.",
    ],
    [
      'a file datastreams',
      { 'datastreams/shop.yaml': null, datastreams: '' },
      "datastreams:1:1: 'datastreams' cannot be read. It, or a folder above it, is a file. It takes a folder of files.",
    ],
    [
      'no datastream',
      { 'datastreams/shop.yaml': null },
      /^datastreams:1:1: warning: There is no datastream, so every event is refused\. Create datastreams\/shop\.yaml/,
    ],
    [
      'a file of another kind only',
      { 'datastreams/shop.yaml': null, 'datastreams/README.md': 'x' },
      /^datastreams:1:1: warning: There is no datastream/,
    ],
    [
      'a folder of datastreams',
      { 'datastreams/eu/shop.yaml': SHOP },
      'datastreams/eu:1:1: warning: Folders in here are not read. Move the files one level up.',
    ],
    [
      'parts of later versions',
      { 'destinations/a.yaml': 'x', 'activities/.gitkeep': '' },
      "destinations:1:1: warning: This version of Weir does not read 'destinations' yet: the files in it have no effect.",
    ],
    [
      'a folder whose name is nearly right',
      { 'activites/a.yaml': 'x', 'activities/.gitkeep': '', 'content/a.html': '' },
      "activites:1:1: warning: This folder is not read. Did you mean 'activities'?",
    ],
    [
      'a folder with the name of one file of it',
      { 'activity/a.yaml': 'x' },
      "activity:1:1: warning: This folder is not read. Did you mean 'activities'?",
    ],
    [
      'a service of later versions',
      {
        'datastreams/shop.yaml': `${SHOP}services:\n  media: {enabled: true}\n  forwarding: {enabled: false}\nenvironments:\n  dev: {}\n`,
      },
      "datastreams/shop.yaml:5:20: warning: The service 'media' is enabled, but this version of Weir does not have it: nothing of it runs. Set it to false to lose this warning.",
    ],
    [
      'mistakes in two files are both told',
      { 'weir.yaml': 'x: 1\n', 'datastreams/shop.yaml': '- y\n' },
      /^datastreams\/shop\.yaml:1:1: The file is a list/,
      /^weir\.yaml:1:1: The key 'x'/,
    ],
  ])('%s', async (_, files, ...told) => {
    const all = await findings(files);
    expect(all).toHaveLength(told.length);
    told.forEach((one, index) => {
      if (typeof one === 'string') expect(all[index]).toBe(one);
      else expect(all[index]).toMatch(one);
    });
  });

  test('a folder that is not there, or is a file: nothing else is told', async () => {
    const file = join(workspaceFolder(), 'weir.yaml');
    for (const [path, why] of [
      ['/no/such/folder', 'It does not exist.'],
      [file, 'It, or a folder above it, is a file.'],
    ] as const) {
      const loaded = await loadWorkspace(path);
      expect(loaded.ok ? [] : loaded.findings.map(String)).toEqual([
        `weir.yaml:1:1: The workspace folder '${path}' cannot be read. ${why} Check the path after --workspace.`,
      ]);
    }
  });
});
