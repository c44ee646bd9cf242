import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { isObject, type JsonObject, parseJson } from '../model/json.ts';

/** A line of a file that is imported; `line` counts from 1. Empty lines, and the header of a CSV file, are no rows. */
export interface Row {
  readonly line: number;
  /** Null where the line cannot be read. */
  readonly value: JsonObject | null;
  /** Why it cannot be read; "" where it can. */
  readonly why: string;
}

/** As large as a request may be. */
export const LINE_CHARACTERS_MAX = 65_536;

/**
 * The rows of a file: NDJSON (an object a line) or, where its name ends in .csv, CSV (RFC 4180: commas, quotes doubled in
 * quotes; the first line names the columns; no line breaks in a value). In UTF-8.
 */
export async function* rowsOf(path: string): AsyncGenerator<Row> {
  const isCsv = path.toLowerCase().endsWith('.csv');
  let columns: readonly string[] | null = null;
  let line = 0;
  for await (const raw of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    const text = line === 1 && raw.startsWith(BYTE_ORDER_MARK) ? raw.slice(1) : raw;
    if (text.trim() === '') continue;
    if (text.length > LINE_CHARACTERS_MAX) {
      yield { line, value: null, why: `It has ${text.length} characters; at most ${LINE_CHARACTERS_MAX} are taken.` };
    } else if (!isCsv) yield jsonRow(line, text);
    else if (columns === null) columns = fieldsOf(text) ?? [];
    else yield csvRow(line, text, columns);
  }
}
const BYTE_ORDER_MARK = '\uFEFF';

function jsonRow(line: number, text: string): Row {
  try {
    const value = parseJson(text);
    if (isObject(value)) return { line, value, why: '' };
  } catch {
    // Said below, without the parser's words: they repeat what the line holds.
  }
  return { line, value: null, why: 'It is no JSON object.' };
}

function csvRow(line: number, text: string, columns: readonly string[]): Row {
  const fields = fieldsOf(text);
  if (fields === null) return { line, value: null, why: 'A quote in it does not end.' };
  if (fields.length !== columns.length) {
    return { line, value: null, why: `It has ${fields.length} fields, the first line ${columns.length}.` };
  }
  const value = Object.fromEntries(columns.map((column, index) => [column.trim(), fields[index]!] as const));
  return { line, value, why: '' };
}

/** Null where a quote does not end. */
function fieldsOf(text: string): string[] | null {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    let field = '';
    if (text[at] === '"') {
      for (;;) {
        const end = text.indexOf('"', at + 1);
        if (end === -1) return null;
        field += text.slice(at + 1, end);
        at = end + 1;
        if (text[at] !== '"') break;
        field += '"';
      }
    }
    const comma = text.indexOf(',', at);
    fields.push(field + text.slice(at, comma === -1 ? text.length : comma));
    if (comma === -1) return fields;
    at = comma + 1;
  }
}
