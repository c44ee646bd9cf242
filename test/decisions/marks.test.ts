import fc from 'fast-check';
import { expect, it } from 'vitest';
import { codedMarksText, marksText } from '../../src/decisions/marks.ts';

it('tells one character for each leaf, however many there are', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 3 }), { maxLength: 40 }),
      fc.infiniteStream(fc.nat({ max: 60 })),
      (values, places) => {
        const indexes: number[] = [];
        for (const place of places) {
          if (indexes.length === values.length) break;
          if (!indexes.includes(place)) indexes.push(place);
        }
        const marks = new Uint8Array(61);
        for (const [k, value] of values.entries()) marks[indexes[k]!] = value;
        expect(marksText(indexes, marks)).toBe(values.map((value) => '-01!'[value]).join(''));
      },
    ),
  );
});

it('tells marks that are one number in the same way', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 3 }), { maxLength: 15 }), (values) => {
      const code = values.reduce((all, value) => all * 4 + value, 0);
      expect(codedMarksText(values.length, code)).toBe(values.map((value) => '-01!'[value]).join(''));
    }),
  );
});
