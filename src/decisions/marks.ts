import type { Leaf } from '../model/condition.ts';

/** The marks of a verdict as a text, one character a leaf, in the order of MARKS. Four leaves are one look at a table. */
const CHARACTERS = ['-', '0', '1', '!'] as const;
const TABLES: readonly (readonly string[])[] = [0, 1, 2, 3, 4].map((length) =>
  Array.from({ length: 4 ** length }, (_, code) =>
    Array.from({ length }, (_unused, index) => CHARACTERS[(code >> (2 * index)) & 3]).join(''),
  ),
);

/** `indexes`: places of the leaves in `marks`. */
export function marksText(indexes: readonly number[], marks: Uint8Array): string {
  const { length } = indexes;
  let text = '';
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const first = marks[indexes[i]!]! | (marks[indexes[i + 1]!]! << 2);
    text += TABLES[4]![first | (marks[indexes[i + 2]!]! << 4) | (marks[indexes[i + 3]!]! << 6)]!;
  }
  let code = 0;
  const rest = length - i;
  for (let k = 0; k < rest; k++) code |= marks[indexes[i + k]!]! << (2 * k);
  return text + TABLES[rest]![code]!;
}

/** The same of marks that are one number, as a conjunction tells them. */
export function codedMarksText(length: number, code: number): string {
  let text = '';
  for (let shift = 2 * (length - 1); shift >= 0; shift -= 2) text += CHARACTERS[(code >> shift) & 3];
  return text;
}

export function indexesOf(leaves: readonly Leaf[]): readonly number[] {
  return leaves.map(({ index }) => index);
}
