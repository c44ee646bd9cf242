import { meant } from '../model/did-you-mean.ts';
import { isObject, type Json, quoted } from '../model/json.ts';
import type { Finding } from './finding.ts';
import {
  firstRepeated,
  type Schema,
  type SchemaName,
  type Type,
  typesOf,
  type Violation,
  violations,
} from './schema-check.ts';
import type { KeyPath, Source } from './source.ts';

/** More than anyone reads; a file that is of another kind altogether makes one for each of its keys. */
export const FINDINGS_OF_FILE_MAX = 50;

/** What of a file's shape is not as its schema has it, as sentences with a place and a remedy. */
export function schemaFindings(name: SchemaName, source: Source): Finding[] {
  const all = violations(name, source.value);
  const findings = all.slice(0, FINDINGS_OF_FILE_MAX).map((violation) => findingOf(source, violation));
  const rest = all.length - findings.length;
  return rest === 0 ? findings : [...findings, source.error([], `${rest} more errors in this file are not listed.`)];
}

function findingOf(source: Source, violation: Violation): Finding {
  const { rule, path, key } = violation;
  if (key === null) return atItem(source, violation);
  if (rule === 'required') return source.error(path, missingKey(violation, key));
  const message =
    rule === 'additionalProperties'
      ? unknownKey(violation, key)
      : `The key ${inQuotes(key)} cannot be used in ${named(path)}. ${wanted(violation)}`;
  return source.error([...path, key], message, 'key');
}

/** ["regions", 0, "hint"] → "'regions[0].hint'" */
export function named(path: KeyPath): string {
  if (path.length === 0) return 'the file';
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  return inQuotes(text.replace(/^\./, ''));
}

/** Long enough to recognise a name that somebody made up. */
const NAME_CHARACTERS_MAX = 120;
function inQuotes(name: string): string {
  return `'${name.length <= NAME_CHARACTERS_MAX ? name : `${name.slice(0, NAME_CHARACTERS_MAX)}…`}'`;
}

function unknownKey({ path, schema, value }: Violation, key: string): string {
  const known = knownKeys(schema);
  const guess = meant(
    key,
    known.filter((name) => !isObject(value) || !Object.hasOwn(value, name)),
  );
  const hint = guess === null ? `Known here: ${known.join(', ')}.` : `Did you mean '${guess}'?`;
  return `The key ${inQuotes(key)} is not known in ${named(path)}. ${hint}`;
}

function missingKey({ path, schema }: Violation, key: string): string {
  const example = schema.properties?.[key]?.examples?.[0];
  const remedy = example === undefined ? `Add '${key}'.` : `Add it, as in: ${key}: ${String(example)}`;
  return `The key '${key}' is missing in ${named(path)}. ${remedy}`;
}

/** Repeated items are shown at the second one, everything else at the value itself. */
function atItem(source: Source, violation: Violation): Finding {
  const { rule, path, value } = violation;
  const repeated = rule === 'uniqueItems' && Array.isArray(value) ? firstRepeated(value) : null;
  if (repeated === null) return source.error(path, wrongValue(source, violation));
  const at = [...path, repeated];
  return source.error(at, `${named(at)} stands in the list before. Remove one of the two.`);
}

function wrongValue(source: Source, violation: Violation): string {
  const { path, rule, schema, value } = violation;
  const name = path.length === 0 ? 'The file' : named(path);
  const written = source.written(path);
  if (value === null && (written ?? '') === '') return `${name} has no value. ${wanted(violation)}`;
  const isText = rule === 'type' && value !== null && written !== null && typesOf(schema).includes('string');
  // A number of days without its unit is no better in quotes.
  if (isText && schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(written)) {
    return `${name} is ${shown(value, written)}. ${wanted({ ...violation, rule: 'pattern' })}`;
  }
  const hint = isText ? ` Put it in quotes: "${written}".` : '';
  return `${name} is ${shown(value, written)}. ${wanted(violation)}${hint}`;
}

/** Single values as they stand, maps and lists by their kind. */
function shown(value: Json, written: string | null): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  return isObject(value) ? 'a map' : (written ?? quoted(value));
}

function wanted({ rule, schema, value }: Violation): string {
  if (rule === 'enum') {
    const values = (schema.enum ?? []).map(String);
    const guess = typeof value === 'string' ? meant(value, values) : null;
    return `It takes ${values.join(' or ')}.${guess === null ? '' : ` Did you mean '${guess}'?`}`;
  }
  if (rule === 'pattern' && schema.patternErrorMessage !== undefined) return schema.patternErrorMessage;
  return `It takes ${typesOf(schema)
    .map((type) => DESCRIPTIONS[type](schema))
    .join(' or ')}.`;
}

const DESCRIPTIONS: Readonly<Record<Type, (schema: Schema) => string>> = {
  null: () => 'null',
  boolean: () => 'true or false',
  integer: ({ minimum, maximum }) => `a whole number${range(minimum, maximum, '')}`,
  number: ({ minimum, maximum }) => `a number${range(minimum, maximum, '')}`,
  string: ({ minLength, maxLength }) => `a text${range(minLength, maxLength, ' characters')}`,
  array: ({ minItems, maxItems }) => `a list${range(minItems, maxItems, ' items')}`,
  object: (schema) => {
    if (schema.maxProperties !== undefined) return `a map of at most ${schema.maxProperties} keys`;
    return schema.properties === undefined ? 'a map' : `a map of: ${knownKeys(schema).join(', ')}`;
  },
};

function range(min: number | undefined, max: number | undefined, unit: string): string {
  if (max === undefined) return '';
  return unit === '' ? ` from ${min ?? 0} to ${max}` : ` of ${min ?? 0} to ${max}${unit}`;
}

/** Without those that only editors read. */
function knownKeys(schema: Schema): string[] {
  return Object.keys(schema.properties ?? {}).filter((name) => !name.startsWith('$'));
}
