import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OPERATORS } from '../../src/language/compilation.ts';
import * as limits from '../../src/language/limits.ts';
import { compileTemplate, isTemplate } from '../../src/language/templates.ts';
import { FACTS, type Facts } from '../../src/model/condition.ts';
import type { Json } from '../../src/model/json.ts';
import { ROOT } from '../support/sources.ts';
import { compiled, facts } from './facts.ts';

/** The examples of docs/conditions.md are run on the facts that stand there. */
const TEXT = readFileSync(join(ROOT, 'docs/conditions.md'), 'utf8');
const ABOUT = facts(JSON.parse(/```json\n([\s\S]*?)```/.exec(TEXT)![1]!) as Partial<Facts>);
const EXAMPLES = [...TEXT.matchAll(/^\| (.*) \| `(\{".*\})` \| (yes|no|error) \|$/gm)];

test('every operator stands in the tables, and has an example', () => {
  const said = EXAMPLES.map(([, operator, example]) => `${operator} ${example}`).join(' ');
  expect(EXAMPLES.length).toBeGreaterThan(30);
  expect(OPERATORS.filter((operator) => !said.includes(`\`${operator}\``) && !said.includes(`"${operator}"`))).toEqual(
    [],
  );
});

test.each(EXAMPLES.map(([, , example, result]) => [example!, result!]))('%s: %s', (example, result) => {
  const audiences = new Map([['loyal', compiled({ exists: 'profile.tier' })]]);
  const condition = compiled(JSON.parse(example.replaceAll('\\|', '|')) as Json, audiences);
  const marks = new Uint8Array(condition.leaves.length);
  const holds = condition.test(ABOUT, marks);
  expect(marks.includes(3) ? 'error' : holds ? 'yes' : 'no').toBe(result);
});

test('every fact stands in the table', () => {
  expect(FACTS.filter((fact) => !TEXT.includes(`\`${fact}\``) && !TEXT.includes(`| \`${fact}.`))).toEqual([]);
});

test.each([...TEXT.matchAll(/^\| `(\\?\{\{.*)` \| (.*) \|$/gm)].map(([, template, filled]) => [template!, filled!]))(
  'template %s is filled as %s',
  (text, filled) => {
    const shown = /`(.*?)`/.exec(filled)?.[1] ?? '';
    const template = compileTemplate(text.replaceAll('\\|', '|'), 'html');
    if (!isTemplate(template)) throw new Error(template[0]!.message);
    expect(template.fill(ABOUT)).toBe(shown);
  },
);

test('the limits are those of the code', () => {
  const told = /## Limits\n([\s\S]*?)\n## /.exec(TEXT)![1]! + /## Templates\n([\s\S]*?)\n## /.exec(TEXT)![1]!;
  const missing = Object.entries(limits)
    .filter(([name]) => !['PROBLEMS_MAX', 'LEAF_CHARACTERS_MAX'].includes(name))
    .filter(([, limit]) => !new RegExp(`(?<![\\d,])${limit.toLocaleString('en-US')}(?![\\d,]\\d)`).test(told));
  expect(missing).toEqual([]);
});
