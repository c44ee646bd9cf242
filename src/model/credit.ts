/**
 * From when on a visitor counts, and what they do is credited, the same in all arms of a report. `display`: a client told that
 * it was displayed; the held out, to whom nothing is, have no part in it. `decision`: it was decided, whether or not it
 * was seen; so the held out compare with everybody else.
 */
export const CREDITS = ['display', 'decision'] as const;
export type Credit = (typeof CREDITS)[number];
/** Who compares experiences wants to know what seeing them does. */
export const CREDIT_DEFAULT: Credit = 'display';
