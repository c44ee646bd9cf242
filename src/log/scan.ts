import type { FileHandle } from '../model/fs.ts';
import { readFully } from './io.ts';
import {
  ALIGN_BYTES,
  decodeFrame,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC_BYTES,
  type Frame,
  frameBytesAt,
  previousCrcOf,
  SEGMENT_HEADER_BYTES,
} from './segment.ts';

/** Read at once; larger frames are read in one piece of their own. */
const CHUNK_BYTES = 1024 * 1024;

/** Bytes that should have held records `from` to `to` (exclusive), and do not. */
export interface Damage {
  readonly startByte: number;
  readonly endByte: number;
  readonly fromOffset: number;
  readonly toOffset: number;
}

export interface ScanStart {
  readonly epoch: number;
  /** Where to begin, and which record must stand there, after which one. */
  readonly byte: number;
  readonly offset: number;
  readonly previousCrc: number;
}

/**
 * Walks the frames of one segment up to `endByte`, in order. Where a frame is not what must follow, looks for the next
 * whole frame behind it and yields the gap; ends where nothing more is found. `following` is then the last good place.
 */
export class Scan {
  #byte: number;
  #offset: number;
  #crc: number;
  readonly #file: FileHandle;
  readonly #epoch: number;
  #chunk: Buffer = Buffer.alloc(0);
  #chunkAt = 0;

  constructor(file: FileHandle, start: ScanStart) {
    this.#file = file;
    this.#epoch = start.epoch;
    this.#byte = start.byte;
    this.#offset = start.offset;
    this.#crc = start.previousCrc;
  }

  static fromStart(file: FileHandle, epoch: number, firstOffset: number): Scan {
    return new Scan(file, { epoch, byte: SEGMENT_HEADER_BYTES, offset: firstOffset, previousCrc: 0 });
  }

  /** Behind the last good frame: its end, the offset that comes next, its CRC. */
  get following(): { readonly byte: number; readonly offset: number; readonly crc: number } {
    return { byte: this.#byte, offset: this.#offset, crc: this.#crc };
  }

  /** The next frame if it is whole and the one that must follow; else null, and nothing moves. */
  async next(endByte: number): Promise<Frame | null> {
    const frame = await this.#frameAt(this.#byte, endByte);
    if (frame === null || frame.offset !== this.#offset || (await this.#previousCrc(frame)) !== this.#crc) return null;
    this.#take(frame);
    return frame;
  }

  /**
   * Looks behind a place that `next` refused for a whole frame of a later record that `accepts`, and goes on there; null
   * where there is none, and nothing moves.
   */
  async resync(
    endByte: number,
    accepts: (frame: Frame, expectedOffset: number) => boolean,
  ): Promise<{ readonly frame: Frame; readonly damage: Damage } | null> {
    const startByte = this.#byte;
    const fromOffset = this.#offset;
    let byte = startByte + ALIGN_BYTES;
    while (byte + FRAME_HEADER_BYTES <= endByte) {
      if (!(await this.#load(byte, FRAME_HEADER_BYTES, endByte))) return null;
      const found = this.#chunk.indexOf(FRAME_MAGIC_BYTES, byte - this.#chunkAt);
      if (found === -1) {
        // The magic may lie across the end of what was read.
        byte = align(this.#chunkAt + this.#chunk.length - FRAME_MAGIC_BYTES.length + 1, byte);
        this.refresh();
        continue;
      }
      const candidate = this.#chunkAt + found;
      byte = candidate % ALIGN_BYTES === 0 ? candidate : align(candidate, byte);
      if (byte !== candidate) continue;
      const frame = await this.#frameAt(byte, endByte);
      if (frame !== null && frame.offset >= fromOffset && accepts(frame, fromOffset)) {
        this.#take(frame);
        return { frame, damage: { startByte, endByte: byte, fromOffset, toOffset: frame.offset } };
      }
      byte += ALIGN_BYTES;
    }
    return null;
  }

  /** Forgets what was read: the file may have grown. */
  refresh(): void {
    this.#chunk = Buffer.alloc(0);
  }

  #take(frame: Frame): void {
    this.#byte = frame.end;
    this.#offset = frame.offset + 1;
    this.#crc = frame.crc;
  }

  async #frameAt(byte: number, endByte: number): Promise<Frame | null> {
    if (byte + FRAME_HEADER_BYTES > endByte || !(await this.#load(byte, FRAME_HEADER_BYTES, endByte))) return null;
    const size = frameBytesAt(this.#chunk, byte - this.#chunkAt);
    if (size === null || byte + size > endByte || !(await this.#load(byte, size, endByte))) return null;
    return decodeFrame(this.#chunk, byte - this.#chunkAt, this.#chunkAt, this.#epoch);
  }

  async #previousCrc(frame: Frame): Promise<number> {
    await this.#load(frame.start, FRAME_HEADER_BYTES, frame.end);
    return previousCrcOf(this.#chunk, frame.start - this.#chunkAt);
  }

  async #load(byte: number, length: number, endByte: number): Promise<boolean> {
    if (byte >= this.#chunkAt && byte + length <= this.#chunkAt + this.#chunk.length) return true;
    this.#chunk = await readFully(this.#file, byte, Math.min(Math.max(length, CHUNK_BYTES), endByte - byte));
    this.#chunkAt = byte;
    return this.#chunk.length >= length;
  }
}

/** The next place where a frame may start, at or behind `byte` and always behind `after`. */
function align(byte: number, after: number): number {
  const aligned = Math.ceil(byte / ALIGN_BYTES) * ALIGN_BYTES;
  return aligned > after ? aligned : after + ALIGN_BYTES;
}
