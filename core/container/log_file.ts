/**
 * One file of a container's log: frames as the monitor appends them.
 *
 * The format of a frame is in core/runtime/log_format.ts. What a crash cut short is not a frame yet, and never will be once the file is rotated.
 *
 * @module
 */

import { LOG_HEADER_SIZE } from "../runtime/log_format.ts";

/** A piece of output as it was written, with its time. It may hold several lines or part of one. */
export interface LogRecord {
  stream: "stdout" | "stderr";
  bytes: Uint8Array;
  /** Unix nanoseconds. */
  time: bigint;
}

/** The longest payload of one frame. */
export const LOG_MAX_PAYLOAD = 65536;

/** Bytes read at once: few at first, since most logs are short and a megabyte of zeros takes time. */
const FIRST_CHUNK = 1 << 14;
const CHUNK = 1 << 20;

/** A frame, read; the time is put together only where it is asked for. */
class LogFrame implements LogRecord {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array;
  readonly #seconds: bigint;
  readonly #nanoseconds: number;

  constructor(stream: "stdout" | "stderr", bytes: Uint8Array, seconds: bigint, nanos: number) {
    this.stream = stream;
    this.bytes = bytes;
    this.#seconds = seconds;
    this.#nanoseconds = nanos;
  }

  get time(): bigint {
    return this.#seconds * 1_000_000_000n + BigInt(this.#nanoseconds);
  }
}

/** A frame's bytes: what the monitor's program writes, for tests and for tools that write logs. */
export function encodeLogFrame({ stream, bytes, time }: LogRecord): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(LOG_HEADER_SIZE + bytes.length);
  const view = new DataView(frame.buffer);
  view.setBigUint64(0, time / 1_000_000_000n, true);
  view.setUint32(8, Number(time % 1_000_000_000n), true);
  view.setUint8(12, stream === "stdout" ? 1 : 2);
  view.setUint32(16, bytes.length, true);
  frame.set(bytes, LOG_HEADER_SIZE);
  return frame;
}

/** An open log file, read forward; what is appended later is found by reading on. */
export class LogFile implements Disposable {
  readonly #file: Deno.FsFile;
  /** Tells files apart across renames. */
  readonly identity: string;
  #rest = new Uint8Array(0);
  #isBroken = false;
  #chunk = FIRST_CHUNK;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
    const { dev, ino } = file.statSync();
    this.identity = `${dev}:${ino}`;
  }

  /** The file at `path`, or undefined if there is none. */
  static open(path: string): LogFile | undefined {
    try {
      return new LogFile(Deno.openSync(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /**
   * The next whole frames, up to a megabyte of them; none when there is no more for now.
   *
   * The bytes belong to the caller. A header that makes no sense ends the file: a crash left garbage behind it.
   */
  read(): LogRecord[] {
    while (!this.#isBroken) {
      const buffer = new Uint8Array(this.#rest.length + this.#chunk);
      const count = this.#file.readSync(buffer.subarray(this.#rest.length));
      if (count === null) return [];
      if (count === this.#chunk) this.#chunk = CHUNK;
      buffer.set(this.#rest);
      const records = this.#decode(buffer.subarray(0, this.#rest.length + count));
      if (records.length > 0) return records;
    }
    return [];
  }

  #decode(bytes: Uint8Array<ArrayBuffer>): LogRecord[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const records: LogRecord[] = [];
    let at = 0;
    while (bytes.length - at >= LOG_HEADER_SIZE) {
      const stream = bytes[at + 12];
      const length = view.getUint32(at + 16, true);
      if ((stream !== 1 && stream !== 2) || length > LOG_MAX_PAYLOAD) {
        this.#isBroken = true;
        return records;
      }
      const start = at + LOG_HEADER_SIZE;
      if (bytes.length < start + length) break;
      records.push(
        new LogFrame(
          stream === 1 ? "stdout" : "stderr",
          bytes.subarray(start, start + length),
          view.getBigUint64(at, true),
          view.getUint32(at + 8, true),
        ),
      );
      at = start + length;
    }
    this.#rest = bytes.slice(at);
    return records;
  }

  /** Goes on at byte `position`, the end of a frame. */
  skipTo(position: number): void {
    this.#file.seekSync(position, Deno.SeekMode.Start);
    this.#rest = new Uint8Array(0);
  }

  /** Starts over. */
  rewind(): void {
    this.#file.seekSync(0, Deno.SeekMode.Start);
    this.#rest = new Uint8Array(0);
    this.#isBroken = false;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/**
 * Opens the files of the log at `path`, oldest first: `log.2`, `log.1`, `log`.
 *
 * Safe beside a rotation: the newest is opened first, and one that moved meanwhile is not opened twice.
 *
 * @param until Stop before the file of this identity, leaving it and older ones out.
 */
export function openLogFiles(path: string, until?: string): LogFile[] {
  const files: LogFile[] = [];
  for (let number = 0;; number++) {
    const file = LogFile.open(number === 0 ? path : `${path}.${number}`);
    // Between two renames of a rotation `log` itself is missing for an instant.
    if (file === undefined && number === 0) continue;
    if (file === undefined) return files;
    if (file.identity === until) {
      file[Symbol.dispose]();
      return files;
    }
    if (files.some((other) => other.identity === file.identity)) file[Symbol.dispose]();
    else files.unshift(file);
  }
}
