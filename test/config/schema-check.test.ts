import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSchema, SCHEMA_NAMES, type Schema, SchemaCheck, type SchemaName } from '../../src/config/schema-check.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';

/** Keywords that the check knows, and those that only people and editors read. */
const KEYWORDS = new Set(
  (
    '$ref type enum pattern minLength maxLength minimum maximum items minItems maxItems uniqueItems properties required ' +
    'additionalProperties propertyNames maxProperties definitions $schema $id title description default examples patternErrorMessage'
  ).split(' '),
);

function schemasIn(schema: Schema): Schema[] {
  const parts = [
    schema.items,
    schema.propertyNames,
    schema.additionalProperties === false ? undefined : schema.additionalProperties,
    ...Object.values(schema.properties ?? {}),
    ...Object.values(schema.definitions ?? {}),
  ];
  return [schema, ...parts.filter((part) => part !== undefined).flatMap(schemasIn)];
}

function ajvFor(name: SchemaName) {
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strict: true, keywords: ['patternErrorMessage'] });
  return ajv.compile(readSchema(name));
}

describe.each(SCHEMA_NAMES)('%s.schema.json', (name) => {
  const schema = readSchema(name);

  test('is a valid schema of draft 7', () => {
    expect(() => ajvFor(name)).not.toThrow();
  });

  test('uses only keywords that the check knows', () => {
    const unknown = schemasIn(schema).flatMap((part) => Object.keys(part).filter((key) => !KEYWORDS.has(key)));
    expect(unknown).toEqual([]);
  });

  test('says something about every option, for editors', () => {
    const silent = schemasIn(schema).flatMap((part) =>
      Object.entries(part.properties ?? {})
        .filter(([, option]) => option.description === undefined && option.$ref === undefined)
        .map(([key]) => key),
    );
    expect(silent.filter((key) => key !== 'enabled')).toEqual([]);
  });

  test('its defaults are valid', () => {
    for (const part of schemasIn(schema)) {
      if (part.default !== undefined) {
        const check = new SchemaCheck({ ...part, definitions: schema.definitions ?? {} });
        expect(check.violations(part.default)).toEqual([]);
      }
    }
  });

  test('every verdict is the one of ajv', () => {
    const validate = ajvFor(name);
    const check = new SchemaCheck(schema);
    fc.assert(
      fc.property(valueFor(schema, schema), (value) => {
        const mine = check.violations(value).map(({ rule, path, key }) => [rule, pointer(path), key ?? '']);
        validate(value);
        const theirs = (validate.errors ?? [])
          .filter(({ keyword }) => keyword !== 'propertyNames')
          .map((error) => [
            error.keyword,
            error.instancePath,
            error.propertyName ?? error.params['missingProperty'] ?? error.params['additionalProperty'] ?? '',
          ]);
        expect(comparable(mine)).toEqual(comparable(theirs));
      }),
      { numRuns: 2000 },
    );
  });
});

/** Without what ajv says, or does not say, of values that are of the wrong type anyway: ranges of them, repetitions among them. */
function comparable(list: readonly unknown[][]): string[] {
  const wrongTypes = list.filter(([rule]) => rule === 'type').map(([, path]) => String(path));
  return list
    .filter(([rule, path]) => {
      if (rule === 'uniqueItems') return !wrongTypes.some((wrong) => wrong.startsWith(`${String(path)}/`));
      return rule === 'type' || !wrongTypes.includes(String(path));
    })
    .map((item) => JSON.stringify(item))
    .sort();
}

function pointer(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Values that are mostly as the schema has them, each part sometimes something else. */
function valueFor(schema: Schema, root: Schema): fc.Arbitrary<Json> {
  const resolved =
    schema.$ref === undefined ? schema : { ...root.definitions![schema.$ref.slice(14)]!, ...schema, $ref: undefined };
  return fc.oneof({ arbitrary: goodFor(resolved, root), weight: 9 }, { arbitrary: ODD, weight: 1 });
}

const ODD: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    0,
    -1,
    0.5,
    1e300,
    '',
    'x',
    '😀'.repeat(200),
    [],
    ['x', 'x'],
    {},
    { enabled: true },
  ),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
);

function goodFor(schema: Schema, root: Schema): fc.Arbitrary<Json> {
  if (schema.enum !== undefined) return fc.constantFrom<Json>(...schema.enum);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  const { minimum = 0, maximum = 100 } = schema;
  switch (type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return fc.constantFrom<Json>(minimum, maximum, minimum - 1, maximum + 1, minimum + 0.5, null, 'x', '17');
    case 'string':
      return fc.oneof(
        fc.constantFrom<Json>(...(schema.examples ?? ['or2', 'a b', '', 'va', 't35', 'ee', 'https://shop.example'])),
        fc.string({ maxLength: 300, unit: 'grapheme' }),
      );
    case 'array':
      return fc.array(valueFor(schema.items!, root), { maxLength: 4 });
    default:
      return mapFor(schema, root);
  }
}

function mapFor(schema: Schema, root: Schema): fc.Arbitrary<Json> {
  const known: Record<string, fc.Arbitrary<Json>> = {};
  for (const [key, part] of Object.entries(schema.properties ?? {})) known[key] = valueFor(part, root);
  const requiredKeys = (schema.required ?? []).slice();
  const others =
    typeof schema.additionalProperties === 'object'
      ? fc.dictionary(
          fc.constantFrom('dev', '/a.js', '', 'a b', '__proto__', '/'),
          valueFor(schema.additionalProperties, root),
          { maxKeys: 3 },
        )
      : fc.dictionary(fc.constantFrom('orgin', 'constructor', '__proto__', 'toString'), ODD, { maxKeys: 1 });
  const record = fc.record(known, { requiredKeys }) as fc.Arbitrary<JsonObject>;
  return fc.tuple(record, others, fc.nat(5)).map(([map, more, drop]) => {
    const all = drop === 0 || typeof schema.additionalProperties === 'object' ? { ...map, ...more } : map;
    if (drop === 1 && requiredKeys[0] !== undefined) delete all[requiredKeys[0]];
    return all;
  });
}
