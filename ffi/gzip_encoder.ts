/**
 * gzip by the system's libz: the same bytes give the same archive, without a time or a name in it.
 *
 * @module
 */
import { Stream } from "./compression.ts";
import { CompressedDataError, lazily, openLibrary, type Sink } from "./decoder.ts";

const libz = lazily(() =>
  openLibrary("libz.so.1", {
    /** (z_stream *strm, int level, int method, int windowBits, int memLevel, int strategy, const char *version, int size) */
    deflateInit2_: {
      parameters: ["buffer", "i32", "i32", "i32", "i32", "i32", "buffer", "i32"],
      result: "i32",
    },
    /** (z_stream *strm, int flush) */
    deflate: { parameters: ["buffer", "i32"], result: "i32" },
    /** (z_stream *strm) */
    deflateEnd: { parameters: ["buffer"], result: "i32" },
  })
);

const Z_STREAM_BYTES = 112;
const Z_DEFLATED = 8;
const Z_FINISH = 4;
const Z_STREAM_END = 1;
/** 15 bits of window, and 16 to say: with gzip's header. */
const WINDOW_BITS = 31;
const MEMORY_LEVEL = 8;

/** Takes bytes as they come and hands them out compressed: `push()` all, then `end()`, then dispose. */
export class GzipEncoder implements Disposable {
  readonly #stream = new Stream(Z_STREAM_BYTES, {
    availIn: 8,
    nextOut: 24,
    availOut: 32,
    wide: false,
  });

  /**
   * @param level 1 is fast, 9 is small.
   * @throws {MissingLibraryError}
   */
  constructor(level: number) {
    const version = new TextEncoder().encode("1.2.11\0");
    const result = libz().deflateInit2_(
      this.#stream.bytes,
      level,
      Z_DEFLATED,
      WINDOW_BITS,
      MEMORY_LEVEL,
      0,
      version,
      Z_STREAM_BYTES,
    );
    if (result !== 0) throw new CompressedDataError(`zlib cannot start (${result})`);
  }

  /** Compresses `input`; `sink` sees each piece before the next is made and must not keep it. */
  push(input: Uint8Array<ArrayBuffer>, sink: Sink): void {
    this.#stream.setInput(input);
    while (this.#stream.inputLeft > 0) this.#step(0, sink);
  }

  /** Says that no more comes, and hands out the rest. */
  end(sink: Sink): void {
    this.#stream.setInput(new Uint8Array(1).subarray(0, 0));
    while (this.#step(Z_FINISH, sink) !== Z_STREAM_END);
  }

  #step(flush: number, sink: Sink): number {
    this.#stream.resetOutput();
    const result = libz().deflate(this.#stream.bytes, flush);
    // Z_BUF_ERROR (-5) says that there was nothing to do.
    if (result < 0 && result !== -5) throw new CompressedDataError(`zlib failed (${result})`);
    if (this.#stream.produced.length > 0) sink(this.#stream.produced);
    return result;
  }

  [Symbol.dispose](): void {
    libz().deflateEnd(this.#stream.bytes);
  }
}
