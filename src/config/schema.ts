import { readFileSync } from 'node:fs';
import { Ajv, type AnySchemaObject, type ValidateFunction } from 'ajv';
import type { Finding } from './finding.ts';
import { schemaFindings } from './schema-findings.ts';
import type { Source } from './source.ts';

/** The JSON Schemas that ship with the package are what files are held against: editors and Weir say the same. */
export type SchemaName = 'weir' | 'datastream';

/** `schemas` lies beside `src` and `dist`. */
export function readSchema(name: SchemaName): AnySchemaObject {
  return JSON.parse(
    readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8'),
  ) as AnySchemaObject;
}

const compiled = new Map<SchemaName, ValidateFunction>();
let ajv: Ajv | null = null;

/** Everything that is wrong with a file's shape; the remedies come from the schema. */
export function validate(name: SchemaName, source: Source): Finding[] {
  let check = compiled.get(name);
  if (check === undefined) {
    ajv ??= new Ajv({
      allErrors: true,
      verbose: true,
      allowUnionTypes: true,
      meta: false,
      validateSchema: false,
      // What editors show where a pattern does not match.
      keywords: ['patternErrorMessage'],
    });
    check = ajv.compile(readSchema(name));
    compiled.set(name, check);
  }
  return check(source.value) ? [] : schemaFindings(source, check.errors ?? []);
}
