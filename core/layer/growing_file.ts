/**
 * A file that one thread reads while others write it: what is there yet stands in memory that they share.
 *
 * @module
 */
import { AT_FDCWD, close, O_RDONLY, openat, read } from "../../ffi/file.ts";
import { SyscallError } from "../../ffi/errno.ts";

/** Index of twice the bytes there are, plus one if no more will come. */
const FILLED = 0;
/** Index of the bytes that were read. */
const USED = 1;

/** How far a file has grown and been read: shared between threads. */
export class FileGrowth {
  readonly #state: BigInt64Array<SharedArrayBuffer>;

  /** @param memory Of another thread's {@linkcode memory}. @default new */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(16)) {
    this.#state = new BigInt64Array(memory);
  }

  /** To be given to another thread. */
  get memory(): SharedArrayBuffer {
    return this.#state.buffer;
  }

  /** Bytes read so far. */
  get usedBytes(): number {
    return Number(Atomics.load(this.#state, USED));
  }

  /** Says how much there is, and wakes the reader. */
  grow(sizeBytes: number, isComplete: boolean): void {
    Atomics.store(this.#state, FILLED, BigInt(sizeBytes) * 2n + (isComplete ? 1n : 0n));
    Atomics.notify(this.#state, FILLED);
  }

  /** Waits until there is more than `position`. @returns How many bytes there are; `position` at the end. */
  waitFor(position: number): number {
    for (;;) {
      const filled = Atomics.load(this.#state, FILLED);
      const sizeBytes = Number(filled >> 1n);
      if (sizeBytes > position || (filled & 1n) === 1n) return sizeBytes;
      Atomics.wait(this.#state, FILLED, filled);
    }
  }

  /** Notes how far the reader is. */
  use(position: number): void {
    Atomics.store(this.#state, USED, BigInt(position));
  }
}

/** Reads a growing file from its beginning; blocks this thread where there is nothing yet. */
export class GrowingFile implements Disposable {
  #fd: number;
  readonly #names: readonly string[];
  readonly #growth: FileGrowth;
  #position = 0;

  /** @param names Where the file may be: it is renamed when it is complete. */
  constructor(names: readonly string[], growth: FileGrowth) {
    this.#fd = openFirst(names);
    this.#names = names;
    this.#growth = growth;
  }

  /** Fills the beginning of `buffer`. @returns How much; 0 at the end. */
  read(buffer: Uint8Array<ArrayBuffer>): number {
    const there = this.#growth.waitFor(this.#position) - this.#position;
    if (there <= 0) return 0;
    const wanted = buffer.subarray(0, Math.min(there, buffer.length));
    let n = read(this.#fd, wanted);
    if (n === 0 && this.#position === 0) {
      // Renamed before it was opened, and another command has made one of the old name: for that moment it is empty.
      close(this.#fd);
      this.#fd = openFirst(this.#names.toReversed());
      n = read(this.#fd, wanted);
    }
    this.#position += n;
    this.#growth.use(this.#position);
    return n;
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }
}

function openFirst(names: readonly string[]): number {
  for (const [index, name] of names.entries()) {
    try {
      return openat(AT_FDCWD, name, O_RDONLY);
    } catch (error) {
      const isLast = index === names.length - 1;
      if (isLast || !(error instanceof SyscallError) || error.code !== "ENOENT") throw error;
    }
  }
  throw new TypeError("Cannot open a file without a name");
}
