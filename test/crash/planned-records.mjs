import { createHash } from 'node:crypto';

/** The record at an offset of a made-up log: the same for the same seed, in whatever process. */
export function plannedRecord(seed, offset, persons) {
  const random = createHash('sha256').update(`${seed}/${offset}`).digest();
  const changes = [];
  for (let i = 0; i < random[0] % 4; i++) {
    const value = { [`field${random[i + 1] % 5}`]: offset, text: 'x'.repeat(random[i + 5] * 4) };
    const key = `person ${random.readUInt16LE(10 + 2 * i) % persons}`;
    const time = `${(offset + 1).toString(16).padStart(12, '0')}-${String(i).padStart(4, '0')}`;
    changes.push({ kind: 'profile', key, time, body: { operation: 'update', value } });
  }
  return { position: { partition: 0, offset }, changes };
}
