import { beforeEach, describe, expect, test } from 'vitest';
import { DiskSpace } from '../../src/log/disk-space.ts';
import { END_MARK_BYTES, EndMarkFile, readEndMark } from '../../src/log/end-mark.ts';
import { failure, MemoryFs } from './memory-fs.ts';
import { FOLDER } from './open-log.ts';

const PATH = `${FOLDER}/end`;
const PLACE = { byte: 4096, offset: 2 ** 40 + 3, crc: 0xfedcba98 };

let fs: MemoryFs;
let messages: string[];
beforeEach(() => {
  fs = new MemoryFs();
  messages = [];
});

function open(bootId = 'a boot'): Promise<EndMarkFile> {
  const report = (message: string): void => void messages.push(message);
  const space = new DiskSpace({ fs, directory: FOLDER, lowWaterBytes: 0, reservedBytes: 0, report });
  return EndMarkFile.open(fs, FOLDER, bootId, space, report);
}

test('is what was written last, by whichever process', async () => {
  expect(await readEndMark(fs, FOLDER)).toBeNull();
  const mark = await open();
  await mark.write(77, PLACE);
  expect(await readEndMark(fs, FOLDER)).toEqual({ ...PLACE, epoch: 77, bootId: 'a boot' });
  await (await open('another boot')).write(78, { ...PLACE, byte: 64, crc: null });
  expect(await readEndMark(fs, FOLDER)).toEqual({ ...PLACE, byte: 64, crc: 0, epoch: 78, bootId: 'another boot' });
  expect(fs.content(PATH)).toHaveLength(END_MARK_BYTES);
});

test('keeps as much of a boot id as there is room for, and no other one’s rest', async () => {
  await (await open('x'.repeat(80))).write(1, PLACE);
  expect((await readEndMark(fs, FOLDER))?.bootId).toBe('x'.repeat(64));
  await (await open('')).write(1, PLACE);
  expect((await readEndMark(fs, FOLDER))?.bootId).toBe('');
});

test('is none when any bit of it is another, or it is shorter or longer', async () => {
  await (await open()).write(77, PLACE);
  const whole = Buffer.from(fs.content(PATH));
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const other = Buffer.from(whole);
    other[bit >> 3]! ^= 1 << (bit & 7);
    fs.put(PATH, other);
    expect(await readEndMark(fs, FOLDER), `bit ${bit}`).toBeNull();
  }
  for (const content of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.of(0)]), Buffer.alloc(0)]) {
    fs.put(PATH, content);
    expect(await readEndMark(fs, FOLDER)).toBeNull();
  }
});

describe('a write that fails', () => {
  const failing = (code: string): void => {
    fs.before = ({ what, path }) => {
      if (what === 'write' && path === PATH) throw failure(code, path);
      return undefined;
    };
  };

  test.each(['ENOSPC', 'EDQUOT'])(
    'for lack of space (%s) is told, and the records are durable without it',
    async (code) => {
      const mark = await open();
      await mark.write(77, PLACE);
      failing(code);
      await mark.write(77, { ...PLACE, offset: 9 });
      expect(messages.at(-1)).toMatch(`The mark of the log's end could not be written: ${code}`);
      expect((await readEndMark(fs, FOLDER))?.offset).toBe(PLACE.offset);
    },
  );

  test('for another reason is an error', async () => {
    const mark = await open();
    failing('EIO');
    await expect(mark.write(77, PLACE)).rejects.toThrow('EIO');
  });
});
