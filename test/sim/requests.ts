import { ALIGN_BYTES, FRAME_HEADER_BYTES, frameBytes, sealFrame } from '../../src/log/segment.ts';
import type { Change } from '../../src/model/person.ts';
import type { LogRecord } from '../../src/model/record.ts';
import type { Random } from './random.ts';

const PERSONS = ['ann', 'bob', 'cleo'];

/** The n-th request of a schedule: sizes, changes and bodies of all kinds, some of them hostile. */
export function recordOf(number: number, random: Random, atMs: number): LogRecord {
  const changes: Change[] = [];
  const time = `${number.toString(16).padStart(12, '0')}-0000`;
  for (let i = random.below(3); i > 0; i--) {
    const operation = random.oneIn(2) ? 'update' : 'replace';
    const value = { [random.pick(['a', 'b'])]: number };
    changes.push({ kind: 'consent', key: random.pick(PERSONS), time, body: { operation, value } });
  }
  const raw = random.oneIn(8)
    ? forgedFrame(random)
    : Buffer.alloc(random.below(random.oneIn(5) ? 600 : 80), number + 1);
  return {
    requestId: `r${number}`,
    atMs,
    orgId: 'org',
    datastreamId: 'site',
    path: '/v2/interact',
    ecid: null,
    meta: {},
    events: [],
    raw: raw.length === 0 ? null : raw,
    changes,
  };
}

/** What a client may send who knows the format: a frame with a record that nobody sent, at a place where a frame may start. */
function forgedFrame(random: Random): Buffer {
  const head = Buffer.from('{"v":1,"r":"forged","t":1,"g":"","s":"","p":"","u":null,"e":[]}');
  const shift = random.below(ALIGN_BYTES);
  const bytes = Buffer.alloc(shift + frameBytes(4 + head.length), 1);
  bytes.writeUInt32LE(head.length, shift + FRAME_HEADER_BYTES);
  head.copy(bytes, shift + FRAME_HEADER_BYTES + 4);
  const offset = random.below(40);
  const frame = { epoch: random.below(5), batch: offset, offset, atMs: 1, previousCrc: 0 };
  sealFrame(bytes, shift, 4 + head.length, frame);
  return bytes;
}
