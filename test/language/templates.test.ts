import { describe, expect, test } from 'vitest';
import { TEMPLATE_PLACEHOLDERS_MAX, TEMPLATE_VALUE_CHARACTERS_MAX } from '../../src/language/limits.ts';
import { compileTemplate, type Escaping, isTemplate, type Template } from '../../src/language/templates.ts';
import { facts } from './facts.ts';

const about = facts({
  profile: {
    name: 'Ada',
    markup: `<b title="x">O'Neil & Co</b>`,
    visits: 3,
    half: '\ud800-😀',
    vip: true,
    empty: '',
    list: ['a'],
    'a.b': 'dotted',
  },
  xdm: { _shop: { cart: { total: 12.5 } } },
});

function template(text: string, escaping: Escaping = 'html'): Template {
  const compiled = compileTemplate(text, escaping);
  if (!isTemplate(compiled)) throw new Error(compiled.map(({ message }) => message).join('\n'));
  return compiled;
}

test.each([
  ['no places', 'no places'],
  ['', ''],
  ['Hello {{profile.name}}!', 'Hello Ada!'],
  ['{{ profile.name }}{{profile.name}}', 'AdaAda'],
  ['{{profile.visits}} {{profile.vip}} {{xdm._shop.cart.total}}', '3 true 12.5'],
  ['Hello {{profile.nickname}}!', 'Hello !'],
  ["Hello {{profile.nickname | 'friend'}}!", 'Hello friend!'],
  ['Hello {{profile.nickname|"you there"}}!', 'Hello you there!'],
  ["{{profile.empty | 'empty'}}", 'empty'],
  ["{{profile.list | 'no plain value'}}", 'no plain value'],
  ["{{profile | 'no plain value'}}", 'no plain value'],
  ["{{profile.constructor | 'none'}}{{profile.__proto__}}", 'none'],
  ['{{profile.markup}}', '&lt;b title=&quot;x&quot;&gt;O&#39;Neil &amp; Co&lt;/b&gt;'],
  ['{{{profile.markup}}}', `<b title="x">O'Neil & Co</b>`],
  ["{{profile.gone | '<none>'}}", '&lt;none&gt;'],
  ["{{{profile.gone | '<none>'}}}", '<none>'],
  ['{{profile.a\\.b}}', 'dotted'],
  ['\\{{theirs}} and {{profile.name}}', '{{theirs}} and Ada'],
  ['{ {profile.name} } }}', '{ {profile.name} } }}'],
  ['{{profile.name}}}', 'Ada}'],
])('%s', (text, filled) => {
  expect(template(text).fill(about)).toBe(filled);
});

test('without escaping, values stand as they are', () => {
  expect(template('{{profile.markup}}', 'none').fill(about)).toBe(`<b title="x">O'Neil & Co</b>`);
});

test.each([
  ['/hello/{{profile.name}}?visits={{profile.visits}}', '/hello/Ada?visits=3'],
  ['/{{profile.markup}}', `/%3Cb%20title%3D%22x%22%3EO'Neil%20%26%20Co%3C%2Fb%3E`],
  ['/{{profile.half}}', '/%EF%BF%BD-%F0%9F%98%80'],
  ["/{{profile.gone | 'a/b?c'}}", '/a%2Fb%3Fc'],
  ['{{{profile.markup}}}', `<b title="x">O'Neil & Co</b>`],
])('in a URL %s', (text, filled) => {
  expect(template(text, 'url').fill(about)).toBe(filled);
});

test('a value is not read as a template', () => {
  expect(template('{{profile.name}}').fill(facts({ profile: { name: '{{profile.secret}}' } }))).toBe(
    '{{profile.secret}}',
  );
});

test('what it reads is said, and whether it is constant', () => {
  expect(template('{{profile.a}}{{profile.b}}{{{profile.a}}}').reads).toEqual(['profile.a', 'profile.b']);
  expect(template('{{profile.a}}').constant).toBeNull();
  expect(template('all the \\{{same}}').constant).toBe('all the {{same}}');
});

describe('what is wrong is said', () => {
  test.each([
    ['{{profle.name}}', "Did you mean 'profile'?"],
    ['{{client.browser.nam}}', "Did you mean 'name'?"],
    ['{{profile..name}}', 'empty name'],
    ['{{profile.name', "The placeholder at '{{profile.name' cannot be read"],
    ['{{}}', 'cannot be read'],
    ['{{{profile.name}}', 'cannot be read'],
    ['{{profile.name | friend}}', 'cannot be read'],
    ['{{#if profile.name}}', 'cannot be read'],
  ])('%s', (text, message) => {
    const compiled = compileTemplate(text, 'html');
    expect(isTemplate(compiled) ? [] : compiled.map((problem) => problem.message)).toEqual([
      expect.stringContaining(message),
    ]);
  });
});

test('limits, at their edges', () => {
  const many = (count: number): boolean => isTemplate(compileTemplate('{{profile.name}}'.repeat(count), 'html'));
  expect([many(TEMPLATE_PLACEHOLDERS_MAX), many(TEMPLATE_PLACEHOLDERS_MAX + 1)]).toEqual([true, false]);
  const shown = (length: number): string =>
    template("{{profile.name | 'long'}}").fill(facts({ profile: { name: 'x'.repeat(length) } }));
  expect(shown(TEMPLATE_VALUE_CHARACTERS_MAX)).toHaveLength(TEMPLATE_VALUE_CHARACTERS_MAX);
  expect(shown(TEMPLATE_VALUE_CHARACTERS_MAX + 1)).toBe('long');
});

test('a hostile text is read in time that grows with it', () => {
  const started = performance.now();
  for (const piece of ['{{', '{{{', '{{a', '{{a |', "{{a | '", '{{ ', '\\{{'])
    compileTemplate(piece.repeat(50_000), 'html');
  expect(performance.now() - started).toBeLessThan(2_000);
});
