import { describe, expect, test } from 'vitest';
import { loadWorkspace } from '../../src/config/workspace.ts';
import { LEAST_FILES, workspaceFolder } from '../support/workspace-folder.ts';

const SHOP = LEAST_FILES['datastreams/shop.yaml']!;
const load = (weir: string, shop = '') =>
  loadWorkspace(workspaceFolder({ 'weir.yaml': weir, 'datastreams/shop.yaml': SHOP + shop }));
const findings = async (weir: string, shop = ''): Promise<string[]> => {
  const loaded = await load(weir, shop);
  return loaded.ok ? [] : loaded.findings.map(String);
};
const OWN =
  'identity: { namespaces: { 0123@AdobeOrg: { Loyalty: {}, Till: { kind: device }, Hash: { sha256: true } } } }\n';

describe('namespaces', () => {
  test('of the org’s own stand beside the standard ones, and another org’s do not', async () => {
    const loaded = await load(
      OWN.replace('identity: { namespaces: {', 'identity: { namespaces: { other: { Theirs: {} },'),
    );
    if (!loaded.ok) throw new Error(loaded.findings.join('\n'));
    const { namespaces, isStrict } = loaded.workspace.datastreams.get('shop')!.identity.rules;
    expect(namespaces.get('Email')).toEqual({ kind: 'person', isSha256: false });
    expect(namespaces.get('Loyalty')).toEqual({ kind: 'person', isSha256: false });
    expect(namespaces.get('Till')).toEqual({ kind: 'device', isSha256: false });
    expect(namespaces.get('Hash')).toEqual({ kind: 'person', isSha256: true });
    expect(namespaces.has('Theirs')).toBe(false);
    expect(isStrict).toBe(false);
  });

  test('the identity cookies of every org of the workspace are known to each datastream', async () => {
    const files = { 'datastreams/other.yaml': 'id: other\norg: OTHER@AdobeOrg\nname: Other\n' };
    const loaded = await loadWorkspace(workspaceFolder(files));
    if (!loaded.ok) throw new Error(loaded.findings.join('\n'));
    for (const { identity } of loaded.workspace.datastreams.values()) {
      const names = ['kndctr_0123_AdobeOrg_identity', 'kndctr_OTHER_AdobeOrg_identity'];
      expect([...identity.rules.cookieNames].sort()).toEqual(names);
    }
  });

  test('an environment may take others, and be strict', async () => {
    const loaded = await load(
      OWN,
      'identity: { namespaces: [Email] }\nenvironments: { dev: { identity: { namespaces: [Loyalty] }, validation: { identities: reject } } }\n',
    );
    if (!loaded.ok) throw new Error(loaded.findings.join('\n'));
    const rulesOf = (id: string) => loaded.workspace.datastreams.get(id)!.identity.rules;
    expect([...rulesOf('shop').namespaces.keys()]).toEqual(['ECID', 'FPID', 'CORE', 'Email']);
    expect([...rulesOf('shop:dev').namespaces.keys()]).toEqual(['ECID', 'FPID', 'CORE', 'Loyalty']);
    expect([rulesOf('shop').isStrict, rulesOf('shop:dev').isStrict]).toEqual([false, true]);
  });

  test.each<[string, string, string, RegExp]>([
    [
      'that nobody declared',
      '{}\n',
      'identity: { namespaces: [Emial] }\n',
      /shop\.yaml:4:\d+: 'identity\.namespaces\[0\]' is "Emial", which is no namespace of this org\. Known: ECID/,
    ],
    [
      'that another org declared',
      'identity: { namespaces: { other: { Theirs: {} } } }\n',
      'identity: { namespaces: [Theirs] }\n',
      /is "Theirs"/,
    ],
    [
      'in an environment',
      '{}\n',
      'environments: { dev: { identity: { namespaces: [Foo] } } }\n',
      /'environments\.dev\.identity\.namespaces\[0\]' is "Foo"/,
    ],
    [
      'that are standard',
      'identity: { namespaces: { 0123@AdobeOrg: { Email: {} } } }\n',
      '',
      /weir\.yaml:1:\d+: 'identity\.namespaces\.0123@AdobeOrg\.Email' is a namespace that every org has/,
    ],
    [
      'with a code that is none',
      'identity: { namespaces: { 0123@AdobeOrg: { "a b": {} } } }\n',
      '',
      /letters, digits, _, \. and -/,
    ],
  ])('%s are a mistake', async (_what, weir, shop, message) => {
    const found = await findings(weir, shop);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

  test('where weir.yaml has a mistake, datastreams are not blamed for it', async () => {
    const found = await findings('identity: { namespaces: 7 }\n', 'identity: { namespaces: [Loyalty] }\n');
    expect(found).toEqual([expect.stringContaining('weir.yaml:1:')]);
  });
});
