import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import type { Json } from '../model/json.ts';
import { errorAt, FILE_START, Finding, type Place } from './finding.ts';

/** A datastream with every option has a few KB. The limit bounds the time for which reading one file holds up requests. */
export const SOURCE_BYTES_MAX = 256 * 1024;
/** Deeper than any option; far from where recursive code runs out of stack. */
export const NESTING_MAX = 32;
/** Times that anchors may be used; without a limit a few lines can stand for billions of values. */
export const ALIASES_MAX = 100;

/** Keys and indexes from the root of a file: ["services", "decisions", "enabled"]. */
export type KeyPath = readonly (string | number)[];

/** One parsed file of a workspace: its value, and where each part of it stands. YAML; JSON is read as the YAML that it is. */
export class Source {
  readonly file: string;
  readonly value: Json;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;

  constructor(file: string, value: Json, document: Document.Parsed, lines: LineCounter) {
    this.file = file;
    this.value = value;
    this.#document = document;
    this.#lines = lines;
  }

  /** Where a value, or its key, stands; the nearest part around it where it is not there. */
  place(path: KeyPath, of: 'key' | 'value' = 'value'): Place {
    const { key, value } = this.#find(path);
    const node = of === 'key' && key !== null ? key : value;
    return placeOf(this.#lines, node?.range?.[0] ?? 0);
  }

  error(path: KeyPath, message: string, of: 'key' | 'value' = 'value'): Finding {
    return new Finding('error', this.file, this.place(path, of), message);
  }

  warning(path: KeyPath, message: string, of: 'key' | 'value' = 'value'): Finding {
    return new Finding('warning', this.file, this.place(path, of), message);
  }

  /** A number, boolean or null as it is written (0x1F, 1e3, ~), which its value does not tell; null for the rest. */
  written(path: KeyPath): string | null {
    const { value } = this.#find(path);
    return isScalar(value) && typeof value.value !== 'string' ? (value.source ?? null) : null;
  }

  #find(path: KeyPath): { key: Node | null; value: Node | null } {
    let key: Node | null = null;
    let value: Node | null = this.#document.contents;
    for (const part of path) {
      const parent: Node | null = isAlias(value) ? (value.resolve(this.#document) ?? null) : value;
      if (isMap(parent)) {
        const pair: { key: unknown; value: unknown } | undefined = parent.items.find(
          (item) => isScalar(item.key) && String(item.key.value) === part,
        );
        if (pair === undefined) break;
        key = pair.key as Node;
        // A key without a value has no node of its own.
        value = (pair.value as Node | null) ?? key;
      } else if (isSeq(parent) && typeof part === 'number' && part < parent.items.length) {
        value = parent.items[part] as Node;
        key = null;
      } else break;
    }
    return { key, value };
  }
}

/** Parses one file. `bytes` are at most SOURCE_BYTES_MAX. Whatever the bytes are, nothing is thrown. */
export function parseSource(file: string, bytes: Uint8Array): Source | Finding[] {
  const lines = new LineCounter();
  const text = decode(bytes);
  if (text === null) return [notUtf8(file, bytes)];
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      resolveKnownTags: false,
      schema: 'core',
      // 'silent' would also drop the error that a second document makes.
      logLevel: 'error',
    });
    const broken = [...syntaxErrors(document.errors), ...document.warnings];
    if (broken.length > 0) return broken.map((error) => syntaxFinding(file, lines, text, error));
    if (document.contents === null || (isScalar(document.contents) && document.contents.source === '')) {
      return [
        errorAt(file, FILE_START, 'The file is empty. Write what belongs into it, or {} for nothing but defaults.'),
      ];
    }
    const stray = strayAlias(document);
    if (stray !== null) return [errorAt(file, placeOf(lines, stray), STRAY_ALIAS)];
    const value = document.toJS({ maxAliasCount: ALIASES_MAX }) as Json;
    const shape = shapeProblem(value, []);
    return shape === null ? new Source(file, value, document, lines) : [errorAt(file, FILE_START, shape)];
  } catch (error) {
    return [errorAt(file, FILE_START, unreadable(error))];
  }
}

function placeOf(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  // The counter answers 0 for a text without a line.
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Null where the bytes are no UTF-8. A byte order mark is dropped. */
function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function notUtf8(file: string, bytes: Uint8Array): Finding {
  const text = new TextDecoder().decode(bytes);
  const before = text.slice(0, text.indexOf('\uFFFD')).split(/\r\n|\n/);
  const place = { line: before.length, column: before[before.length - 1]!.length + 1 };
  return errorAt(file, place, 'The file is not UTF-8 from here on. Save it in that encoding.');
}

/** One mistake breaks much that follows, so of those only the first is told; keys that stand twice are told each. */
function syntaxErrors(errors: readonly YAMLError[]): YAMLError[] {
  const first = errors.find((error) => error.code !== 'DUPLICATE_KEY');
  return errors.filter((error) => error === first || error.code === 'DUPLICATE_KEY');
}

function syntaxFinding(file: string, lines: LineCounter, text: string, error: YAMLError): Finding {
  return errorAt(file, placeOf(lines, error.pos[0]), syntaxMessage(error, text));
}

function syntaxMessage(error: YAMLError, text: string): string {
  switch (error.code) {
    case 'DUPLICATE_KEY': {
      const key = /^[^:\r\n]{1,60}/.exec(text.slice(error.pos[0]))?.[0].trim() ?? '';
      return `The key ${key === '' ? '' : `'${key}' `}stands twice in the same map. Keep one of the two.`;
    }
    case 'MULTIPLE_DOCS':
      return 'A second document begins here (---). Keep one document in a file.';
    case 'TAB_AS_INDENT':
      return 'The line is indented with a tab. YAML takes spaces only.';
    case 'NON_STRING_KEY':
      return 'The key is not a text. Put it in quotes.';
    case 'TAG_RESOLVE_FAILED':
      return 'The tag (!…) is not known here. Leave it out; put texts that begin with ! in quotes.';
    case 'BAD_ALIAS':
      return STRAY_ALIAS;
    case 'RESOURCE_EXHAUSTION':
      return `Maps and lists are nested too deeply here: ${NESTING_MAX} levels are read.`;
    default:
      return `This is not YAML: ${error.message.replace(/\.$/, '')}. Check the indentation, the quotes and the brackets up to here.`;
  }
}

const STRAY_ALIAS = 'The alias (*…) has no anchor (&…) before it. Put texts that begin with * in quotes.';

/** Offset of the first alias whose anchor does not stand before it; null where there is none. */
function strayAlias(document: Document.Parsed): number | null {
  const anchors = new Set<string>();
  let stray: number | null = null;
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) {
        if (anchors.has(node.source)) return undefined;
        stray = node.range?.[0] ?? 0;
        return visit.BREAK;
      }
      if (node.anchor !== undefined) anchors.add(node.anchor);
      return undefined;
    },
  });
  return stray;
}

/** What is wrong with a value that YAML can make and JSON cannot, or that is nested too deeply; null where nothing is. */
function shapeProblem(value: Json, around: readonly Json[]): string | null {
  if (typeof value !== 'object' || value === null) return null;
  if (around.includes(value)) return 'An alias (*…) stands within its own anchor (&…), so the value has no end.';
  if (around.length === NESTING_MAX) return `Maps and lists are nested too deeply: ${NESTING_MAX} levels are read.`;
  const inside = [...around, value];
  for (const child of Object.values(value)) {
    const problem = shapeProblem(child, inside);
    if (problem !== null) return problem;
  }
  return null;
}

/** The parser throws on too many aliases and where it runs out of stack; both are the file's fault. */
function unreadable(error: unknown): string {
  if (error instanceof RangeError) return `Maps and lists are nested too deeply: ${NESTING_MAX} levels are read.`;
  if (error instanceof ReferenceError)
    return `Aliases (*…) are used more than ${ALIASES_MAX} times. Write the values out.`;
  return `The file cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`;
}
