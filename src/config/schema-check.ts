import { readFileSync } from 'node:fs';
import { canonicalJson, isObject, type Json, type JsonObject } from '../model/json.ts';
import type { KeyPath } from './source.ts';

/**
 * Holds values against the JSON Schemas that ship with the package: editors and Weir say the same. These are the keywords
 * that the schemas use, and no others; a test compares every verdict with ajv's. By hand because of the start: loading
 * ajv and compiling two schemas takes 75 ms (24 ms for each further one), this 1 ms.
 */
export interface Schema {
  readonly $ref?: string;
  readonly type?: Type | readonly Type[];
  readonly enum?: readonly Json[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | Schema;
  readonly propertyNames?: Schema;
  readonly maxProperties?: number;
  readonly definitions?: Readonly<Record<string, Schema>>;
  /** For people and editors. */
  readonly description?: string;
  readonly default?: Json;
  readonly examples?: readonly Json[];
  readonly patternErrorMessage?: string;
}
export type Type = 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object' | 'null';

/** One rule that one value breaks. */
export interface Violation {
  readonly rule: keyof Schema;
  /** The schema that the rule stands in. */
  readonly schema: Schema;
  readonly path: KeyPath;
  readonly value: Json;
  /** The key in question, of `required`, `additionalProperties` and whatever is wrong with a name; else null. */
  readonly key: string | null;
}

export const SCHEMA_NAMES = ['weir', 'datastream', 'activity', 'audience', 'offers'] as const;
export type SchemaName = (typeof SCHEMA_NAMES)[number];

/** `schemas` lies beside `src` and `dist`. */
export function readSchema(name: SchemaName): Schema {
  return JSON.parse(readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8')) as Schema;
}

const schemas = new Map<SchemaName, SchemaCheck>();

/** Every rule of a schema that a value breaks, in the order of the schema. The schema is read once. */
export function violations(name: SchemaName, value: Json): Violation[] {
  let check = schemas.get(name);
  if (check === undefined) {
    check = new SchemaCheck(readSchema(name));
    schemas.set(name, check);
  }
  return check.violations(value);
}

export class SchemaCheck {
  readonly #root: Schema;
  readonly #patterns = new Map<string, RegExp>();
  #found: Violation[] = [];

  constructor(root: Schema) {
    this.#root = root;
  }

  violations(value: Json): Violation[] {
    this.#found = [];
    this.#check(this.#root, value, []);
    return this.#found;
  }

  #check(schema: Schema, value: Json, path: KeyPath, name: string | null = null): void {
    const broken = (rule: keyof Schema): void => {
      this.#found.push({ rule, schema, path, value, key: name });
    };
    if (schema.$ref !== undefined) this.#check(this.#definition(schema.$ref), value, path, name);
    if (schema.enum !== undefined && !schema.enum.some((one) => one === value)) broken('enum');
    if (schema.type !== undefined && !typesOf(schema).some((type) => isOfType(value, type))) broken('type');
    else if (typeof value === 'string') this.#checkText(schema, value, broken);
    else if (typeof value === 'number') checkNumber(schema, value, broken);
    else if (Array.isArray(value)) this.#checkList(schema, value, path, broken);
    else if (isObject(value)) this.#checkMap(schema, value, path, broken);
  }

  #checkText(schema: Schema, value: string, broken: (rule: keyof Schema) => void): void {
    const characters = [...value].length;
    if (schema.minLength !== undefined && characters < schema.minLength) broken('minLength');
    if (schema.maxLength !== undefined && characters > schema.maxLength) broken('maxLength');
    if (schema.pattern !== undefined && !this.#pattern(schema.pattern).test(value)) broken('pattern');
  }

  #checkList(schema: Schema, value: Json[], path: KeyPath, broken: (rule: keyof Schema) => void): void {
    if (schema.minItems !== undefined && value.length < schema.minItems) broken('minItems');
    if (schema.maxItems !== undefined && value.length > schema.maxItems) broken('maxItems');
    if (schema.uniqueItems === true && firstRepeated(value) !== null) broken('uniqueItems');
    if (schema.items !== undefined) {
      for (const [index, item] of value.entries()) this.#check(schema.items, item, [...path, index]);
    }
  }

  #checkMap(schema: Schema, value: JsonObject, path: KeyPath, broken: (rule: keyof Schema) => void): void {
    const keys = Object.keys(value);
    if (schema.maxProperties !== undefined && keys.length > schema.maxProperties) broken('maxProperties');
    for (const key of schema.required ?? []) {
      if (!Object.hasOwn(value, key)) this.#found.push({ rule: 'required', schema, path, value, key });
    }
    for (const key of keys) {
      if (schema.propertyNames !== undefined) this.#check(schema.propertyNames, key, path, key);
      const at = [...path, key];
      if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) {
        this.#check(schema.properties[key]!, value[key]!, at);
      } else if (schema.additionalProperties === false) {
        this.#found.push({ rule: 'additionalProperties', schema, path, value, key });
      } else if (schema.additionalProperties !== undefined) this.#check(schema.additionalProperties, value[key]!, at);
    }
  }

  /** "#/definitions/port" */
  #definition(reference: string): Schema {
    const name = reference.slice('#/definitions/'.length);
    const schema = this.#root.definitions?.[name];
    if (schema === undefined) throw new Error(`The schema has no definition '${reference}'.`);
    return schema;
  }

  #pattern(source: string): RegExp {
    let pattern = this.#patterns.get(source);
    if (pattern === undefined) {
      pattern = new RegExp(source, 'u');
      this.#patterns.set(source, pattern);
    }
    return pattern;
  }
}

function checkNumber(schema: Schema, value: number, broken: (rule: keyof Schema) => void): void {
  if (schema.minimum !== undefined && value < schema.minimum) broken('minimum');
  if (schema.maximum !== undefined && value > schema.maximum) broken('maximum');
}

export function typesOf({ type }: Schema): readonly Type[] {
  return type === undefined ? [] : typeof type === 'string' ? [type] : type;
}

function isOfType(value: Json, type: Type): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    default:
      return typeof value === type;
  }
}

/** Index of the first item that stands before already, or null. */
export function firstRepeated(list: readonly Json[]): number | null {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const text = canonicalJson(item);
    if (seen.has(text)) return index;
    seen.add(text);
  }
  return null;
}
