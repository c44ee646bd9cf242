import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { Json } from '../model/json.ts';
import { Finding, type Place } from './finding.ts';

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

export function placeOf(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  // The counter answers 0 for a text without a line.
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
