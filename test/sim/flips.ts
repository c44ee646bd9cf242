import { SEGMENT_HEADER_BYTES } from '../../src/log/segment.ts';
import { framesOn, type Machine } from './machine.ts';
import type { Model } from './model.ts';
import { LOG_FOLDER } from './process.ts';
import type { SimFile } from './sim-disk.ts';

/**
 * One bit of what the disk holds for good is another: of a record, of a segment's header, or of the mark of the end. Returns
 * in which of them; null where the disk has no record.
 */
export function flipBit({ random, disk }: Machine, model: Model, steps: string[]): 'record' | 'header' | 'mark' | null {
  const { frames } = framesOn(disk);
  if (frames.length === 0) return null;
  const { file, frame } = random.pick(frames);
  const end = disk.names.get(`${LOG_FOLDER}/end`);
  const kind = random.below(8);
  const flipIn = (where: SimFile, byte: number, what: string): void => {
    const mask = 1 << random.below(8);
    where.disk[byte]! ^= mask;
    if (byte < where.seen.length) where.seen[byte] = where.disk[byte]!;
    steps.push(`a bit flips in ${what}, byte ${byte}`);
  };
  if (kind === 0) {
    flipIn(file, random.below(SEGMENT_HEADER_BYTES), 'a header');
    return 'header';
  }
  if (kind === 1 && end !== undefined && end.disk.length > 0) {
    flipIn(end, random.below(end.disk.length), 'the mark of the end');
    return 'mark';
  }
  model.damage(frame.offset);
  flipIn(file, random.between(frame.start, frame.end - 1), `record ${frame.offset}`);
  return 'record';
}
