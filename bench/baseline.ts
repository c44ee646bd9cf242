import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What was measured before, by machine: `bench/baseline.json`. Figures of different machines are not comparable. */
export interface Figures {
  /** "2026-11-23" */
  readonly measuredOn: string;
  readonly ratio: number;
  readonly baseCpuMicroseconds: number;
  readonly weirCpuMicroseconds: number;
}
type Stored = Record<string, Record<string, Figures>>;

const FILE = fileURLToPath(new URL('./baseline.json', import.meta.url));

/** "2 × Intel(R) Xeon(R) Processor, x64, Node v20.20.2" */
export function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${arch()}, Node ${process.version}`;
}

function load(): Stored {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Stored) : {};
}

/** Null where this machine has none for this case. */
export function baselineOf(name: string): Figures | null {
  return load()[machine()]?.[name] ?? null;
}

export function storeBaseline(name: string, figures: Figures): void {
  const stored = load();
  stored[machine()] = { ...stored[machine()], [name]: figures };
  writeFileSync(FILE, `${JSON.stringify(stored, null, 2)}\n`);
}
