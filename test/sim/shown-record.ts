import { isDeepStrictEqual } from 'node:util';
import { isErasure } from '../../src/model/erasure.ts';
import type { Change } from '../../src/model/person.ts';
import type { LogRecord } from '../../src/model/record.ts';
import type { ErasedView } from './erased-view.ts';
import { type ExpiredView, partsOf, proofMark } from './expired-view.ts';
import { idOf } from './requests.ts';

/** How a record was read. */
export interface Reading {
  /** When the reading began, as `ErasedView` counts; 0 where that is not known. */
  readonly erased: number;
  /** The same as `ExpiredView` does. */
  readonly expired: number;
  /** By the process that writes, and not by another one. */
  readonly isInside: boolean;
  /** With the choices and erasures of what was dropped. */
  readonly hasProofs: boolean;
}

export interface Views {
  readonly erased: ErasedView;
  readonly expired: ExpiredView;
}

/** What is wrong with a visit or an erasure as it was shown. `isDropped`: of it choices and erasures may be all that is left. */
export function faultsOf(
  { erased, expired }: Views,
  shown: LogRecord,
  sent: LogRecord,
  offset: number,
  reading: Reading,
  isDropped: boolean,
): string[] {
  const faults: string[] = [];
  const raw = Buffer.from(shown.raw ?? '').toString('latin1');
  let isWhole = true;
  const judge = (what: string, visitor: string, isShown: boolean, mustExpire: boolean, mayBeGone: boolean): void => {
    const mustHide = mustExpire || erased.mustHide(visitor, offset, reading.erased);
    const mayHide = mayBeGone || erased.mayHide(visitor, offset, reading.erased);
    if (isShown && mustHide) faults.push(`shows ${what} of ${visitor}, who is erased, or which has expired`);
    if (!isShown && !mayHide) faults.push(`hides ${what} of ${visitor}`);
    isWhole &&= isShown && !mayHide;
  };
  for (const part of partsOf(sent)) {
    const { index, mark, visitor } = part;
    const event = shown.events.find((one) => one.index === index);
    const isShown = index === null ? raw.includes(mark) : event !== undefined;
    const what = index === null ? 'the call' : `event ${index}`;
    const mayBeGone = isDropped || expired.mayHide(sent, part, reading);
    judge(what, visitor, isShown, expired.mustHide(sent, part, reading), mayBeGone);
    if (!isShown && raw.includes(mark)) faults.push(`has a body with the hidden event ${index}`);
    if (event !== undefined && !isDeepStrictEqual(event.xdm, sent.events.find((one) => one.index === index)!.xdm))
      faults.push(`changed event ${index}`);
  }
  for (const change of sent.changes) {
    const mark = proofMark(change);
    const isShown = shown.changes.some((other) => isSame(change, other));
    const mustExpire = mark !== null && expired.mustProofHide(mark, reading.expired);
    const mayBeGone = mark === null ? isDropped : expired.mayProofHide(mark);
    judge(`a change (${change.kind})`, isErasure(change) ? '' : idOf(change), isShown, mustExpire, mayBeGone);
  }
  if (shown.changes.length > sent.changes.length) faults.push('shows more changes than were sent');
  if (isWhole && !isDropped && Buffer.compare(shown.raw ?? EMPTY, sent.raw ?? EMPTY) !== 0)
    faults.push('has another body');
  return faults;
}

const EMPTY = Buffer.alloc(0);

/** Of links some may be left. */
function isSame(sent: Change, shown: Change): boolean {
  return sent.kind === 'consent' ? isDeepStrictEqual(sent, shown) : sent.key === shown.key && sent.kind === shown.kind;
}
