/** Writes TC strings, bit by bit, as the IAB's specification of format 2 lays them out: independent of what decodes them. */
export interface TcChoice {
  readonly purposes?: readonly number[];
  readonly vendors?: readonly number[];
  /** Ranges in place of a bit for each vendor. */
  readonly vendorRanges?: readonly (readonly [first: number, last: number])[];
  /** Purpose, type, ranges. */
  readonly restrictions?: readonly (readonly [number, number, readonly (readonly [number, number])[]])[];
  readonly lastUpdatedMs?: number;
  /** A consent tool that is not registered: documented, the string is processed as it is. */
  readonly cmpId?: number;
  readonly version?: number;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
export const UPDATED_MS = 1_795_392_000_000;

export function tcString(choice: TcChoice = {}): string {
  const { purposes = [], vendors = [], lastUpdatedMs = UPDATED_MS, cmpId = 10, version = 2 } = choice;
  const time = int(Math.round(lastUpdatedMs / 100), 36);
  const header = `${int(version, 6)}${time}${time}${int(cmpId, 12)}${int(2, 12)}${int(1, 6)}${letters('EN')}`;
  const flags = `${int(100, 12)}${int(4, 6)}${int(0, 2)}${int(0, 12)}${field(purposes, 24)}${int(0, 24)}0${letters('DE')}`;
  const consents =
    choice.vendorRanges === undefined ? bitField(vendors) : `${int(65535, 16)}1${ranges(choice.vendorRanges)}`;
  const list = choice.restrictions ?? [];
  const restrictions = list.map(
    ([purpose, type, vendorsOf]) => `${int(purpose, 6)}${int(type, 2)}${ranges(vendorsOf)}`,
  );
  return base64(`${header}${flags}${consents}${bitField([])}${int(list.length, 12)}${restrictions.join('')}`);
}

/** What documented consent to collection is, with the default vendor. */
export const TC_IN = tcString({ purposes: [1, 10], vendors: [565] });
export const TC_OUT = tcString({ purposes: [2], vendors: [565] });

function bitField(ids: readonly number[]): string {
  const largest = Math.max(0, ...ids);
  return `${int(largest, 16)}0${field(ids, largest)}`;
}

function field(ids: readonly number[], bits: number): string {
  return Array.from({ length: bits }, (_, index) => (ids.includes(index + 1) ? '1' : '0')).join('');
}

function ranges(list: readonly (readonly [number, number])[]): string {
  return `${int(list.length, 12)}${list.map(([first, last]) => (first === last ? `0${int(first, 16)}` : `1${int(first, 16)}${int(last, 16)}`)).join('')}`;
}

function letters(text: string): string {
  return [...text].map((letter) => int(letter.charCodeAt(0) - 65, 6)).join('');
}

function int(value: number, bits: number): string {
  return value.toString(2).padStart(bits, '0');
}

function base64(bits: string): string {
  let text = '';
  for (let at = 0; at < bits.length; at += 6)
    text += ALPHABET[Number.parseInt(bits.slice(at, at + 6).padEnd(6, '0'), 2)];
  return text;
}
