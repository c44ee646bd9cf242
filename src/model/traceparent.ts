/** Where a request comes from, by the trace that it belongs to. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** 1: whoever called records it. */
  readonly flags: number;
}

/** `version-trace id-parent id-flags`; a later version may say more behind another dash. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const VERSION = '00';
const NO_VERSION = 'ff';
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
/** Of version 00 it has 55 characters; nobody needs a thousand. */
const CHARACTERS_MAX = 512;

/** A `traceparent` header; null where it is none. Rule: W3C Trace Context, level 1, "traceparent Header". */
export function parseTraceparent(header: string | undefined): TraceParent | null {
  if (header === undefined || header.length > CHARACTERS_MAX) return null;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(header.trim()) ?? [];
  if (version === undefined || version === NO_VERSION || (version === VERSION && more !== undefined)) return null;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return null;
  // Only the lowest bit has a meaning.
  return { traceId: traceId!, spanId: spanId!, flags: Number.parseInt(flags!, 16) & 1 };
}
