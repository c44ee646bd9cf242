import { Composer, type CST, type Document, isAlias, isScalar, LineCounter, Parser, visit, type YAMLError } from 'yaml';
import type { Json } from '../model/json.ts';
import { errorAt, FILE_START, type Finding } from './finding.ts';
import { placeOf, Source } from './source.ts';

/** A datastream with every option has a few KB. The limit bounds the time for which reading one file holds up requests. */
export const SOURCE_BYTES_MAX = 256 * 1024;
/**
 * Deeper than any option. The library composes values recursively, and a stack that overflows while V8 compiles a regular
 * expression ends the process: so the depth is checked before, on its flat tokens.
 */
export const NESTING_MAX = 32;
/** Times that anchors may be used; without a limit a few lines can stand for billions of values. */
export const ALIASES_MAX = 100;

/** Parses one file. `bytes` are at most SOURCE_BYTES_MAX. Whatever the bytes are, nothing is thrown. */
export function parseSource(file: string, bytes: Uint8Array): Source | Finding[] {
  const text = decode(bytes);
  if (text === null) return [notUtf8(file, bytes)];
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const tooDeep = firstTooDeep(tokens);
  if (tooDeep !== null) return [errorAt(file, placeOf(lines, tooDeep), TOO_DEEP)];
  try {
    const [document, second] = [...new Composer(COMPOSING).compose(tokens, true, text.length)];
    const message = 'A second document begins here (---). Keep one document in a file.';
    if (second !== undefined) return [errorAt(file, placeOf(lines, second.range[0]), message)];
    return whole(file, text, lines, document as Document.Parsed);
  } catch (error) {
    return [errorAt(file, FILE_START, unreadable(error))];
  }
}

/** Keys are texts, tags mean nothing, and a directive does not turn `yes` into true. */
const COMPOSING = {
  prettyErrors: false,
  stringKeys: true,
  resolveKnownTags: false,
  schema: 'core',
  logLevel: 'error',
} as const;

function whole(file: string, text: string, lines: LineCounter, document: Document.Parsed): Source | Finding[] {
  const broken = [...syntaxErrors(document.errors), ...document.warnings];
  if (broken.length > 0) return broken.map((error) => syntaxFinding(file, lines, text, error));
  if (document.contents === null || (isScalar(document.contents) && document.contents.source === '')) {
    const message = 'The file is empty. Write what belongs into it, or {} for nothing but defaults.';
    return [errorAt(file, FILE_START, message)];
  }
  const stray = strayAlias(document);
  if (stray !== null) return [errorAt(file, placeOf(lines, stray), STRAY_ALIAS)];
  const endless = endlessNumber(document);
  if (endless !== null) return [errorAt(file, placeOf(lines, endless), ENDLESS)];
  // The library counts the anchor as well.
  const value = document.toJS({ maxAliasCount: ALIASES_MAX + 1 }) as Json;
  const shape = shapeProblem(value, []);
  return shape === null ? new Source(file, value, document, lines) : [errorAt(file, FILE_START, shape)];
}

/** Offset of the first map or list that is nested too deeply; null where none is. Not recursive. */
function firstTooDeep(tokens: readonly CST.Token[]): number | null {
  const pending = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { token, depth } = next;
    if (token.type === 'document' && token.value !== undefined) pending.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    if (depth === NESTING_MAX) return token.offset;
    for (const { key, value } of token.items) {
      if (key !== null && key !== undefined) pending.push({ token: key, depth: depth + 1 });
      if (value !== undefined) pending.push({ token: value, depth: depth + 1 });
    }
  }
  return null;
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
    case 'TAB_AS_INDENT':
      return 'The line is indented with a tab. YAML takes spaces only.';
    case 'NON_STRING_KEY':
      return 'The key is not a text. Put it in quotes.';
    case 'TAG_RESOLVE_FAILED':
      return 'The tag (!…) is not known here. Leave it out; put texts that begin with ! in quotes.';
    case 'BAD_ALIAS':
      return STRAY_ALIAS;
    default:
      return `This is not YAML: ${error.message.replace(/\.$/, '')}. Check the indentation, the quotes and the brackets up to here.`;
  }
}

const TOO_DEEP = `Maps and lists are nested too deeply: ${NESTING_MAX} levels are read.`;
const STRAY_ALIAS = 'The alias (*…) has no anchor (&…) before it. Put texts that begin with * in quotes.';

const ENDLESS =
  'This is no number that JSON has (.inf, .nan, or one that is too large), and would be nothing where it is kept. Write another one, or a text in quotes.';

/** Offset of the first number that is none in JSON, in which definitions are kept and content is sent; null where there is none. */
function endlessNumber(document: Document.Parsed): number | null {
  let endless: number | null = null;
  visit(document, {
    Scalar(_key, { value, range }) {
      if (typeof value !== 'number' || Number.isFinite(value)) return undefined;
      endless = range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return endless;
}

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
  if (around.length === NESTING_MAX) return TOO_DEEP;
  const inside = [...around, value];
  for (const child of Object.values(value)) {
    const problem = shapeProblem(child, inside);
    if (problem !== null) return problem;
  }
  return null;
}

/** Too many aliases are what the library throws for. */
function unreadable(error: unknown): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === 'ReferenceError') return `Aliases (*…) are used more than ${ALIASES_MAX} times. Write the values out.`;
  return `The file cannot be read as YAML: ${message}`;
}
