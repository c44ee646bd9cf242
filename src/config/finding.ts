import { posix } from 'node:path';

/** What is wrong with a workspace, or worth saying about it, at one place of one file. */
export class Finding {
  readonly severity: 'error' | 'warning';
  /** Relative to the workspace folder, with slashes. */
  readonly file: string;
  /** Both count from 1; columns in UTF-16 units. */
  readonly line: number;
  readonly column: number;
  /** What was wrong, with the value, and the remedy: whole sentences. */
  readonly message: string;

  constructor(severity: Finding['severity'], file: string, place: Place, message: string) {
    this.severity = severity;
    this.file = file;
    this.line = place.line;
    this.column = place.column;
    this.message = message;
  }

  /** "datastreams/shop.yaml:3:1: 'org' is missing. …" */
  toString(): string {
    return this.under('');
  }

  /** The same, with the workspace folder's path before the file, as terminals make links of. */
  under(folder: string): string {
    const mark = this.severity === 'warning' ? 'warning: ' : '';
    return `${posix.join(folder, this.file)}:${this.line}:${this.column}: ${mark}${this.message}`;
  }
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** For what concerns a whole file or folder. */
export const FILE_START: Place = { line: 1, column: 1 };

export function errorAt(file: string, place: Place, message: string): Finding {
  return new Finding('error', file, place, message);
}

/** In the order in which a person goes through them. */
export function sorted(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.message, b.message),
  );
}

/** By code units: the same order on every machine, whatever its language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
