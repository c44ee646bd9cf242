import type { ErrorObject } from 'ajv';
import { isObject, type Json, quoted } from '../model/json.ts';
import { meant } from './did-you-mean.ts';
import type { Finding } from './finding.ts';
import type { KeyPath, Source } from './source.ts';

/** More than anyone reads; a file that is of another kind altogether makes one for each of its keys. */
export const FINDINGS_OF_FILE_MAX = 50;

/** The validator's errors as sentences with a place and a remedy. */
export function schemaFindings(source: Source, errors: readonly ErrorObject[]): Finding[] {
  const findings = errors
    // Said in detail by the error of the rule within.
    .filter((error) => error.keyword !== 'propertyNames')
    .map((error) => findingOf(source, error));
  if (findings.length <= FINDINGS_OF_FILE_MAX) return findings;
  const rest = findings.length - FINDINGS_OF_FILE_MAX;
  return [
    ...findings.slice(0, FINDINGS_OF_FILE_MAX),
    source.error([], `${rest} more errors in this file are not listed.`),
  ];
}

function findingOf(source: Source, error: ErrorObject): Finding {
  const path = pathOf(error.instancePath, source.value);
  if (error.propertyName !== undefined) {
    const key = error.propertyName;
    return source.error(
      [...path, key],
      `The key ${inQuotes(key)} in ${named(path)} is no name for one. ${wanted(error)}`,
      'key',
    );
  }
  if (error.keyword === 'additionalProperties') return unknownKey(source, path, error);
  if (error.keyword === 'required') return missingKey(source, path, error);
  return source.error(path, wrongValue(source, path, error));
}

/** "/regions/0/hint" → ["regions", 0, "hint"]: a part is an index where the value around it is a list. */
function pathOf(pointer: string, root: Json): KeyPath {
  let value: Json | undefined = root;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (Array.isArray(value)) {
        value = value[Number(key)];
        return Number(key);
      }
      value = isObject(value) ? value[key] : undefined;
      return key;
    });
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

function unknownKey(source: Source, path: KeyPath, error: ErrorObject): Finding {
  const key = String(error.params['additionalProperty']);
  const known = Object.keys(rulesOf(error).properties ?? {}).filter((name) => !name.startsWith('$'));
  const guess = meant(key, known);
  const hint = guess === null ? `Known here: ${known.join(', ')}.` : `Did you mean '${guess}'?`;
  return source.error([...path, key], `The key ${inQuotes(key)} is not known in ${named(path)}. ${hint}`, 'key');
}

function missingKey(source: Source, path: KeyPath, error: ErrorObject): Finding {
  const key = String(error.params['missingProperty']);
  const example = rulesOf(error).properties?.[key]?.examples?.[0];
  const remedy = example === undefined ? `Add '${key}'.` : `Add it, as in: ${key}: ${String(example)}`;
  return source.error(path, `The key '${key}' is missing in ${named(path)}. ${remedy}`);
}

function wrongValue(source: Source, path: KeyPath, error: ErrorObject): string {
  const value = error.data as Json;
  const name = path.length === 0 ? 'The file' : named(path);
  if (value === null) return `${name} has no value. ${wanted(error)}`;
  if (error.keyword === 'uniqueItems') {
    return `${name} holds the same value twice, as items ${error.params['j']} and ${error.params['i']} (counted from 0). Keep one of the two.`;
  }
  const written = source.written(path) ?? quoted(value);
  const needsQuotes = rulesOf(error).type === 'string' && source.written(path) !== null;
  const hint = needsQuotes ? ` Put it in quotes: "${written}".` : '';
  return `${name} is ${kindOf(value, written)}. ${wanted(error)}${hint}`;
}

/** Values as they stand; what is long by its kind. */
function kindOf(value: Json, written: string): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (isObject(value)) return 'a map';
  return written;
}

/** What an error's schema says, as far as sentences need it. */
interface Rules {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly patternErrorMessage?: string;
  readonly properties?: Readonly<Record<string, { readonly examples?: readonly unknown[] }>>;
}
function rulesOf(error: ErrorObject): Rules {
  return (error.parentSchema ?? {}) as Rules;
}

function wanted(error: ErrorObject): string {
  const rules = rulesOf(error);
  if (error.keyword === 'enum') {
    const values = rules.enum ?? [];
    const guess = typeof error.data === 'string' ? meant(error.data, values) : null;
    return `It takes ${values.join(' or ')}.${guess === null ? '' : ` Did you mean '${guess}'?`}`;
  }
  if (error.keyword === 'pattern' && rules.patternErrorMessage !== undefined) return rules.patternErrorMessage;
  const types = typeof rules.type === 'string' ? [rules.type] : (rules.type ?? []);
  return `It takes ${types.map((type) => description(type, rules)).join(' or ')}.`;
}

function description(type: string, rules: Rules): string {
  switch (type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number${range(rules.minimum, rules.maximum)}`;
    case 'number':
      return `a number${range(rules.minimum, rules.maximum)}`;
    case 'string':
      return `a text${rules.maxLength === undefined ? '' : ` of ${rules.minLength ?? 0} to ${rules.maxLength} characters`}`;
    case 'array':
      return `a list${rules.maxItems === undefined ? '' : ` of ${rules.minItems ?? 0} to ${rules.maxItems} items`}`;
    case 'object':
      return `a map${rules.maxProperties === undefined ? keysOf(rules) : ` of at most ${rules.maxProperties} keys`}`;
    default:
      return type;
  }
}

function range(minimum: number | undefined, maximum: number | undefined): string {
  return minimum === undefined || maximum === undefined ? '' : ` from ${minimum} to ${maximum}`;
}

function keysOf(rules: Rules): string {
  const known = Object.keys(rules.properties ?? {}).filter((name) => !name.startsWith('$'));
  return known.length === 0 ? '' : ` with the keys ${known.join(', ')}`;
}
