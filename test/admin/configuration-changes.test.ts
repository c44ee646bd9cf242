import { describe, expect, test } from 'vitest';
import {
  CHANGES_MAX,
  type Configuration,
  configurationChanges,
  VALUE_CHARACTERS_MAX,
} from '../../src/admin/configuration-changes.ts';
import { serverOptions, type WeirFile } from '../../src/config/options.ts';
import { LOCAL_ISSUER, NO_AUTH } from '../../src/model/auth.ts';
import type { Datastream, Workspace } from '../../src/model/datastream.ts';
import { datastreamOf, workspaceOf } from '../support/exchanges.ts';

function configuration(
  datastreams: readonly Datastream[] = [datastreamOf()],
  file: WeirFile = {},
  fields: Partial<Workspace> = {},
): Configuration {
  return { workspace: workspaceOf(datastreams, fields), options: serverOptions(file, '/w') };
}
const page = (text: string) => new Map([['/', { contentType: 'text/html', body: Buffer.from(text) }]]);
const changesOf = (to: Configuration, from = configuration()) => configurationChanges(from, to)['changes'];

test('nothing changed', () => {
  expect(configurationChanges(configuration(), configuration())).toEqual({ changes: [], more: 0 });
});

describe('a change is told with what was and what is', () => {
  test.each([
    [
      'a field',
      configuration([datastreamOf({ name: 'New' })]),
      [{ key: 'datastreams.shop.name', old: '"Shop"', new: '"New"' }],
    ],
    [
      'a set',
      configuration([datastreamOf({ origins: new Set(['https://b', 'https://a']) })]),
      [{ key: 'datastreams.shop.origins', old: 'null', new: '["https://a","https://b"]' }],
    ],
    [
      'how long events are kept',
      configuration([datastreamOf({ retention: { maxAgeMs: 9, eventTypes: new Map([['a', null]]) } })]),
      [
        { key: 'datastreams.shop.retention.eventTypes.a', old: null, new: 'null' },
        { key: 'datastreams.shop.retention.maxAgeMs', old: 'null', new: '9' },
      ],
    ],
    [
      'an option that waits for a restart',
      configuration(undefined, { log: { retention: { maxBytes: 5_000_000 } } }),
      [{ key: 'log.retention.maxBytes', old: 'null', new: '5000000' }],
    ],
    [
      'a page',
      configuration([datastreamOf()], {}, { pages: page('a') }),
      [{ key: 'site./', old: null, new: expect.stringMatching(/^"sha256:[0-9a-f]{16}"$/) }],
    ],
    [
      'whose access tokens are taken',
      configuration([datastreamOf()], {}, { auth: { ...NO_AUTH, local: true } }),
      [{ key: 'auth.local', old: 'false', new: 'true' }],
    ],
    [
      'an issuer’s keys, which are shown by their digest',
      configuration([datastreamOf()], {}, { auth: { ...NO_AUTH, issuers: [{ ...LOCAL_ISSUER, jwks: 'b' }] } }),
      expect.arrayContaining([
        { key: 'auth.issuers.weir:local.jwks', old: null, new: expect.stringMatching(/^"sha256:[0-9a-f]{16}"$/) },
        { key: 'auth.issuers.weir:local.audiences', old: null, new: '["weir:server"]' },
      ]),
    ],
  ])('%s', (_, to, changes) => {
    expect(changesOf(to)).toEqual(changes);
  });

  test('a datastream that came', () => {
    const keys = (changesOf(configuration([datastreamOf(), datastreamOf({ id: 'b' })])) as { key: string }[]).map(
      ({ key }) => key,
    );
    expect(keys).toContain('datastreams.b.orgId');
    expect(keys.every((key) => key.startsWith('datastreams.b.'))).toBe(true);
  });
});

test.each(['apiSecret', 'bearerToken', 'password', 'fpidKey', 'Authorization'])('%s is masked, old and new', (name) => {
  const secret = (value: string) =>
    configuration([
      datastreamOf({ overrides: { unregistered: 'warn', registered: { deep: { [name]: { a: value } } } } }),
    ]);
  expect(changesOf(secret('after'), secret('before'))).toEqual([
    { key: `datastreams.shop.overrides.registered.deep.${name}.a`, old: '***', new: '***' },
  ]);
});

test('where a key lies is no secret', () => {
  expect(changesOf(configuration(undefined, { listeners: { tlsKey: '/etc/key.pem' } }))).toEqual([
    { key: 'listeners.tlsKey', old: 'null', new: '"/etc/key.pem"' },
  ]);
});

test(`at most ${CHANGES_MAX} one by one, each value at most ${VALUE_CHARACTERS_MAX} characters`, () => {
  const many = Array.from({ length: CHANGES_MAX + 5 }, (_, i) => datastreamOf({ id: `d${i}`, name: 'a' }));
  const renamed = many.map((one) => ({ ...one, name: 'b'.repeat(500) }));
  const { changes, more } = configurationChanges(configuration(many), configuration(renamed)) as {
    changes: { new: string }[];
    more: number;
  };
  expect([changes.length, more]).toEqual([CHANGES_MAX, 5]);
  expect(changes[0]!.new).toHaveLength(VALUE_CHARACTERS_MAX + 1);
});
