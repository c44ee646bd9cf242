import type { FileHandle } from '../model/fs.ts';
import { codeOf, readFully } from './io.ts';
import {
  decodeFrame,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC_BYTES,
  type Frame,
  frameBytesAt,
  SEGMENT_HEADER_BYTES,
} from './segment.ts';

/** Read at once; larger frames are read in one piece of their own. */
const CHUNK_BYTES = 1024 * 1024;
/** A place is looked for by halves until this many bytes are left, which are then read through. */
const SEEK_BYTES = 256 * 1024;
/** Where the disk refuses a read, what lies around it is read in pieces of this size. */
const PAGE_BYTES = 4096;

/** A place between two frames: the offset that comes next, and the CRC of the frame before; null where that is not known. */
export interface Place {
  readonly byte: number;
  readonly offset: number;
  readonly crc: number | null;
}

/** Before the first frame of a segment. */
export function segmentStart(firstOffset: number): Place {
  return { byte: SEGMENT_HEADER_BYTES, offset: firstOffset, crc: 0 };
}

/**
 * Walks the frames of one segment in order, in constant memory. What is unreadable is not an error but a gap: `next`
 * refuses it, `resync` finds the whole frames behind it.
 */
export class Scan {
  readonly #file: FileHandle;
  readonly #epoch: number;
  readonly #unreadable: 'is-damage' | 'throws';
  #place: Place;
  #chunk: Buffer = Buffer.alloc(0);
  #chunkAt = 0;

  /** `unreadable`: whether bytes that the disk refuses count as damaged, or its error is thrown. */
  constructor(file: FileHandle, epoch: number, place: Place, unreadable: 'is-damage' | 'throws') {
    this.#file = file;
    this.#epoch = epoch;
    this.#place = place;
    this.#unreadable = unreadable;
  }

  /** Behind the last frame that was returned. */
  get place(): Place {
    return this.#place;
  }

  /** The frame that must follow: whole, with the next offset, chained to the one before; else null, and nothing moves. */
  async next(): Promise<Frame | null> {
    const { byte, offset, crc } = this.#place;
    const frame = await this.#frameAt(byte);
    if (frame === null || frame.offset !== offset) return null;
    if (crc !== null && frame.previousCrc !== crc) return null;
    this.#place = { byte: frame.end, offset: offset + 1, crc: frame.crc };
    return frame;
  }

  /**
   * Looks behind a place that `next` refused for a whole frame of a later record; null where there is none, and nothing
   * moves. At any byte: where some were lost, what follows is no longer aligned.
   */
  async resync(): Promise<Frame | null> {
    for (let from = this.#place.byte; ; ) {
      const frame = await this.#findFrame(from, Number.POSITIVE_INFINITY);
      if (frame === null) return null;
      if (this.#isInOrder(frame)) {
        this.#place = { byte: frame.end, offset: frame.offset + 1, crc: frame.crc };
        return frame;
      }
      from = frame.end;
    }
  }

  /**
   * Whether what is missing before this frame had room there. One that stands too early was put there by something else
   * than the log: taken for the next, it would hide those between.
   */
  #isInOrder(frame: Frame): boolean {
    const { byte, offset } = this.#place;
    const room = frame.start - byte;
    // At the place itself with the right offset it has the wrong predecessor: it is not the one that was written here.
    return frame.offset === offset
      ? room > 0
      : frame.offset > offset && room >= (frame.offset - offset) * FRAME_HEADER_BYTES;
  }

  /** Moves to just before a frame for which `isBefore` holds and that is near the last such one. Frames are ordered by it. */
  async seek(isBefore: (frame: Frame) => boolean): Promise<void> {
    let low = this.#place.byte;
    let high = await this.#file.size();
    while (high - low > SEEK_BYTES) {
      const middle = low + Math.floor((high - low) / 2);
      const frame = await this.#findFrame(middle, high);
      if (frame !== null && isBefore(frame)) {
        this.#place = { byte: frame.start, offset: frame.offset, crc: null };
        low = frame.end;
      } else high = middle;
    }
  }

  /** Forgets what was read: the file may have grown. */
  refresh(): void {
    this.#chunk = Buffer.alloc(0);
  }

  /** The first whole frame that starts in `[from, to)`. */
  async #findFrame(from: number, to: number): Promise<Frame | null> {
    let byte = from;
    while (byte < to && (await this.#load(byte, FRAME_HEADER_BYTES))) {
      const found = this.#chunk.indexOf(FRAME_MAGIC_BYTES, byte - this.#chunkAt);
      if (found === -1) {
        // The magic may lie across the end of what was read.
        byte = this.#chunkAt + this.#chunk.length - FRAME_MAGIC_BYTES.length + 1;
        continue;
      }
      byte = this.#chunkAt + found;
      if (byte >= to) return null;
      const frame = await this.#frameAt(byte);
      if (frame !== null) return frame;
      byte += 1;
    }
    return null;
  }

  async #frameAt(byte: number): Promise<Frame | null> {
    if (!(await this.#load(byte, FRAME_HEADER_BYTES))) return null;
    const size = frameBytesAt(this.#chunk, byte - this.#chunkAt, this.#epoch);
    if (size === null || !(await this.#load(byte, size))) return null;
    return decodeFrame(this.#chunk, byte - this.#chunkAt, this.#chunkAt, this.#epoch);
  }

  /** Whether the file has `length` bytes at `byte`; they are in the chunk then. */
  async #load(byte: number, length: number): Promise<boolean> {
    if (byte >= this.#chunkAt && byte + length <= this.#chunkAt + this.#chunk.length) return true;
    const left = (await this.#file.size()) - byte;
    if (left < length) return false;
    this.#chunk = await this.#read(byte, Math.min(Math.max(length, CHUNK_BYTES), left));
    this.#chunkAt = byte;
    return this.#chunk.length >= length;
  }

  async #read(byte: number, length: number): Promise<Buffer> {
    try {
      return await readFully(this.#file, byte, length);
    } catch (error) {
      if (this.#unreadable === 'throws' || codeOf(error) !== 'EIO') throw error;
    }
    // A second try, page by page: what still cannot be read is left zero, which no checksum accepts.
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; ) {
      const end = Math.min(length, at + PAGE_BYTES - ((byte + at) % PAGE_BYTES));
      try {
        (await readFully(this.#file, byte + at, end - at)).copy(bytes, at);
      } catch (error) {
        if (codeOf(error) !== 'EIO') throw error;
      }
      at = end;
    }
    return bytes;
  }
}
