import { crc32 } from 'node:zlib';
import type { FileHandle, Fs } from '../model/fs.ts';
import type { DiskSpace } from './disk-space.ts';
import { isOutOfSpace, openIfThere, readFile, writeFully } from './io.ts';
import type { Place } from './scan.ts';

/**
 * Where the durable records of the newest segment end, in the file `end` beside the segments.
 *
 * It is written after a batch was synced and before it is acknowledged, and not synced itself: while the machine runs,
 * every process sees the newest mark, so readers show what is acknowledged, all of it and nothing else. After a power
 * cut it may be old but is never ahead of the log. Then what is on the disk is durable by itself (`bootId` tells), and a
 * start has a little more to look through.
 *
 * 128 bytes, little-endian: magic u32 · crc u32 (of all behind it) · epoch f64 · byte f64 · offset f64 · crc of the last
 * frame u32 · boot id, ASCII, up to 64 bytes, padded with zeros.
 */
export interface EndMark extends Place {
  readonly epoch: number;
  readonly crc: number;
  readonly bootId: string;
}

export const END_MARK_BYTES = 128;
const MAGIC = 0x31444e45; // "END1"
const BOOT_ID_AT = 36;
const BOOT_ID_BYTES = 64;
const NAME = 'end';

export class EndMarkFile {
  readonly #file: FileHandle;
  readonly #bytes: Buffer = Buffer.alloc(END_MARK_BYTES);
  readonly #space: DiskSpace;
  readonly #report: (message: string) => void;

  private constructor(file: FileHandle, bootId: string, space: DiskSpace, report: (message: string) => void) {
    this.#file = file;
    this.#space = space;
    this.#report = report;
    this.#bytes.writeUInt32LE(MAGIC, 0);
    this.#bytes.write(bootId, BOOT_ID_AT, BOOT_ID_BYTES, 'latin1');
  }

  static async open(
    fs: Fs,
    directory: string,
    bootId: string,
    space: DiskSpace,
    report: (message: string) => void,
  ): Promise<EndMarkFile> {
    const path = `${directory}/${NAME}`;
    const file = await space.withReserve(
      async () => (await openIfThere(fs, path, 'write')) ?? (await fs.open(path, 'create')),
    );
    return new EndMarkFile(file, bootId, space, report);
  }

  /** Records are durable without it: where a full disk does not take it, only readers in other processes wait. */
  async write(epoch: number, { byte, offset, crc }: Place): Promise<void> {
    const bytes = this.#bytes;
    bytes.writeDoubleLE(epoch, 8);
    bytes.writeDoubleLE(byte, 16);
    bytes.writeDoubleLE(offset, 24);
    bytes.writeUInt32LE(crc ?? 0, 32);
    bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
    try {
      await this.#space.withReserve(() => writeFully(this.#file, bytes, 0, END_MARK_BYTES, 0));
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
      this.#report(`The mark of the log's end could not be written: ${(error as Error).message}`);
    }
  }

  /** Once at the start, so that after a power cut there is a mark that says of which boot it is. */
  sync(): Promise<void> {
    return this.#file.datasync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Null where there is none, or it is damaged, or is being written this instant. */
export async function readEndMark(fs: Fs, directory: string): Promise<EndMark | null> {
  const bytes = await readFile(fs, `${directory}/${NAME}`);
  if (bytes === null || bytes.length !== END_MARK_BYTES || bytes.readUInt32LE(0) !== MAGIC) return null;
  if (bytes.readUInt32LE(4) !== crc32(bytes.subarray(8))) return null;
  return {
    epoch: bytes.readDoubleLE(8),
    byte: bytes.readDoubleLE(16),
    offset: bytes.readDoubleLE(24),
    crc: bytes.readUInt32LE(32),
    bootId: bytes.toString('latin1', BOOT_ID_AT, BOOT_ID_AT + BOOT_ID_BYTES).replace(/\0+$/, ''),
  };
}
