/**
 * Decompression by the system's own libraries: libz, libzstd, liblzma, libbz2, each opened when first needed.
 *
 * The platform's streams will not do for layers: `DecompressionStream("gzip")` refuses files of several members
 * (pigz, eStargz), Deno's node:zlib stops silently after the first zstd frame (zstd:chunked has many) and reads a
 * truncated frame as empty, and neither knows xz. The calls are synchronous, so the caller is one plain loop.
 *
 * @module
 */
import {
  addressOf,
  CompressedDataError,
  type Compression,
  type Decoder,
  lazily,
  openLibrary,
  OUTPUT_BYTES,
  type Sink,
} from "./decoder.ts";
import { hasIsal, IsalDecoder } from "./isal.ts";

export {
  CompressedDataError,
  type Compression,
  type Decoder,
  MissingLibraryError,
} from "./decoder.ts";

/** Opens a decoder; the caller disposes it. @throws {MissingLibraryError} */
export function openDecoder(compression: Compression): Decoder {
  switch (compression) {
    case "gzip":
      return hasIsal() ? new IsalDecoder() : new GzipDecoder();
    case "zstd":
      return new ZstdDecoder();
    case "xz":
      return new XzDecoder();
    case "bzip2":
      return new Bzip2Decoder();
  }
}

/** The struct all of zlib's descendants share in kind: where the input and the output go, and how much is left. */
export class Stream {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly output = new Uint8Array(OUTPUT_BYTES);
  readonly #view: DataView;
  readonly #outputAddress = addressOf(this.output);
  readonly #at: { availIn: number; nextOut: number; availOut: number; wide: boolean };

  /** @param at Byte offsets of the fields; `next_in` is at 0; `wide`: the counts are `size_t`, not `unsigned`. */
  constructor(
    size: number,
    at: { availIn: number; nextOut: number; availOut: number; wide: boolean },
  ) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
    this.#at = at;
  }

  #setCount(offset: number, count: number): void {
    if (this.#at.wide) this.#view.setBigUint64(offset, BigInt(count), true);
    else this.#view.setUint32(offset, count, true);
  }

  #count(offset: number): number {
    if (this.#at.wide) return Number(this.#view.getBigUint64(offset, true));
    return this.#view.getUint32(offset, true);
  }

  setInput(input: Uint8Array<ArrayBuffer>): void {
    this.#view.setBigUint64(0, addressOf(input), true);
    this.#setCount(this.#at.availIn, input.length);
  }

  get inputLeft(): number {
    return this.#count(this.#at.availIn);
  }

  resetOutput(): void {
    this.#view.setBigUint64(this.#at.nextOut, this.#outputAddress, true);
    this.#setCount(this.#at.availOut, OUTPUT_BYTES);
  }

  /** What was put out since {@linkcode resetOutput}. */
  get produced(): Uint8Array<ArrayBuffer> {
    return this.output.subarray(0, OUTPUT_BYTES - this.#count(this.#at.availOut));
  }
}

const libz = lazily(() =>
  openLibrary("libz.so.1", {
    /** (z_stream *strm, int windowBits, const char *version, int stream_size) */
    inflateInit2_: { parameters: ["buffer", "i32", "buffer", "i32"], result: "i32" },
    /** (z_stream *strm, int flush) */
    inflate: { parameters: ["buffer", "i32"], result: "i32" },
    /** (z_stream *strm) */
    inflateReset: { parameters: ["buffer"], result: "i32" },
    /** (z_stream *strm) */
    inflateEnd: { parameters: ["buffer"], result: "i32" },
  })
);

const Z_STREAM_END = 1;
const Z_BUF_ERROR = -5;

/** gzip by zlib, which is everywhere. */
export class GzipDecoder implements Decoder {
  readonly #stream = new Stream(112, { availIn: 8, nextOut: 24, availOut: 32, wide: false });
  #state: "member" | "between" | "padding" = "member";
  #started = false;

  constructor() {
    const version = new TextEncoder().encode("1.2.11\0");
    const result = libz().inflateInit2_(this.#stream.bytes, 31, version, 112);
    if (result !== 0) throw new CompressedDataError(`zlib cannot start (${result})`);
  }

  push(input: Uint8Array<ArrayBuffer>, sink: Sink): void {
    let rest = input;
    while (rest.length > 0) {
      if (this.#state !== "member") {
        rest = this.#betweenMembers(rest);
        continue;
      }
      rest = this.#member(rest, sink);
    }
  }

  #member(input: Uint8Array<ArrayBuffer>, sink: Sink): Uint8Array<ArrayBuffer> {
    this.#started = true;
    this.#stream.setInput(input);
    for (;;) {
      this.#stream.resetOutput();
      const result = libz().inflate(this.#stream.bytes, 0);
      if (result < 0 && result !== Z_BUF_ERROR) {
        throw new CompressedDataError("gzip data is corrupt");
      }
      const piece = this.#stream.produced;
      if (piece.length > 0) sink(piece);
      const left = this.#stream.inputLeft;
      if (result === Z_STREAM_END) {
        this.#state = "between";
        return input.subarray(input.length - left);
      }
      if (left === 0 && piece.length < OUTPUT_BYTES) return input.subarray(input.length);
      if (result === Z_BUF_ERROR && piece.length === 0) return input.subarray(input.length);
    }
  }

  /** Another member may follow, or zeros that a tape or a disk image added. */
  #betweenMembers(input: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (input[0] === 0x1f && this.#state === "between") {
      libz().inflateReset(this.#stream.bytes);
      this.#state = "member";
      return input;
    }
    this.#state = "padding";
    if (input.some((byte) => byte !== 0)) {
      throw new CompressedDataError("gzip data is followed by something else");
    }
    return input.subarray(input.length);
  }

  end(): void {
    if (this.#started && this.#state === "member") {
      throw new CompressedDataError("gzip data ends too early");
    }
  }

  [Symbol.dispose](): void {
    libz().inflateEnd(this.#stream.bytes);
  }
}

const libzstd = lazily(() =>
  openLibrary("libzstd.so.1", {
    ZSTD_createDStream: { parameters: [], result: "pointer" },
    /** (ZSTD_DStream *zds) */
    ZSTD_freeDStream: { parameters: ["pointer"], result: "usize" },
    /** (ZSTD_DStream *zds, ZSTD_outBuffer *output, ZSTD_inBuffer *input) */
    ZSTD_decompressStream: { parameters: ["pointer", "buffer", "buffer"], result: "usize" },
    /** (size_t code) */
    ZSTD_isError: { parameters: ["usize"], result: "u32" },
    /** (size_t code) */
    ZSTD_getErrorName: { parameters: ["usize"], result: "pointer" },
  })
);

class ZstdDecoder implements Decoder {
  readonly #stream = libzstd().ZSTD_createDStream();
  readonly #output = new Uint8Array(OUTPUT_BYTES);
  // ZSTD_outBuffer and ZSTD_inBuffer: pointer, size, position.
  readonly #out = new BigUint64Array([addressOf(this.#output), BigInt(OUTPUT_BYTES), 0n]);
  readonly #in = new BigUint64Array(3);
  #insideFrame = false;

  push(input: Uint8Array<ArrayBuffer>, sink: Sink): void {
    this.#in[0] = addressOf(input);
    this.#in[1] = BigInt(input.length);
    this.#in[2] = 0n;
    for (;;) {
      this.#out[2] = 0n;
      const before: bigint = this.#in[2]!;
      const result = libzstd().ZSTD_decompressStream(
        this.#stream,
        new Uint8Array(this.#out.buffer),
        new Uint8Array(this.#in.buffer),
      );
      if (libzstd().ZSTD_isError(result)) throw new CompressedDataError(this.#message(result));
      const produced = Number(this.#out[2]);
      if (produced > 0) sink(this.#output.subarray(0, produced));
      // A call that did nothing asks for the header of a next frame, which need not come.
      if (produced > 0 || this.#in[2] !== before) this.#insideFrame = result !== 0n;
      if (Number(this.#in[2]) === input.length && produced < OUTPUT_BYTES) return;
    }
  }

  #message(code: bigint): string {
    const name = libzstd().ZSTD_getErrorName(code);
    const text = name === null ? "" : Deno.UnsafePointerView.getCString(name);
    return `zstd data is corrupt: ${text}`;
  }

  end(): void {
    if (this.#insideFrame) throw new CompressedDataError("zstd data ends too early");
  }

  [Symbol.dispose](): void {
    libzstd().ZSTD_freeDStream(this.#stream);
  }
}

const liblzma = lazily(() =>
  openLibrary("liblzma.so.5", {
    /** (lzma_stream *strm, uint64_t memlimit, uint32_t flags) */
    lzma_stream_decoder: { parameters: ["buffer", "u64", "u32"], result: "i32" },
    /** (lzma_stream *strm, lzma_action action) */
    lzma_code: { parameters: ["buffer", "i32"], result: "i32" },
    /** (lzma_stream *strm) */
    lzma_end: { parameters: ["buffer"], result: "void" },
  })
);

const LZMA_CONCATENATED = 0x08;
const LZMA_RUN = 0;
const LZMA_FINISH = 3;
const LZMA_STREAM_END = 1;
const LZMA_BUF_ERROR = 10;
/** `xz -9` needs 65 MiB to decode; what asks for more than this is an attack. */
const XZ_MEMORY_LIMIT = 512 << 20;

class XzDecoder implements Decoder {
  readonly #stream = new Stream(136, { availIn: 8, nextOut: 24, availOut: 32, wide: true });
  #started = false;

  constructor() {
    const limit = BigInt(XZ_MEMORY_LIMIT);
    const result = liblzma().lzma_stream_decoder(this.#stream.bytes, limit, LZMA_CONCATENATED);
    if (result !== 0) throw new CompressedDataError(`liblzma cannot start (${result})`);
  }

  push(input: Uint8Array<ArrayBuffer>, sink: Sink): void {
    this.#started ||= input.length > 0;
    this.#stream.setInput(input);
    while (!this.#step(LZMA_RUN, sink));
  }

  /** @returns whether nothing is left to do for now. */
  #step(action: number, sink: Sink): boolean {
    this.#stream.resetOutput();
    const result = liblzma().lzma_code(this.#stream.bytes, action);
    const piece = this.#stream.produced;
    if (piece.length > 0) sink(piece);
    if (result === LZMA_STREAM_END) return true;
    if (result === LZMA_BUF_ERROR) {
      if (action === LZMA_FINISH) throw new CompressedDataError("xz data ends too early");
      return true;
    }
    if (result !== 0) throw new CompressedDataError(`xz data is corrupt (liblzma: ${result})`);
    return action === LZMA_RUN && this.#stream.inputLeft === 0 && piece.length < OUTPUT_BYTES;
  }

  end(sink: Sink): void {
    if (!this.#started) return;
    this.#stream.setInput(new Uint8Array(1).subarray(0, 0));
    while (!this.#step(LZMA_FINISH, sink));
  }

  [Symbol.dispose](): void {
    liblzma().lzma_end(this.#stream.bytes);
  }
}

const libbz2 = lazily(() =>
  openLibrary("libbz2.so.1.0", {
    /** (bz_stream *strm, int verbosity, int small) */
    BZ2_bzDecompressInit: { parameters: ["buffer", "i32", "i32"], result: "i32" },
    /** (bz_stream *strm) */
    BZ2_bzDecompress: { parameters: ["buffer"], result: "i32" },
    /** (bz_stream *strm) */
    BZ2_bzDecompressEnd: { parameters: ["buffer"], result: "i32" },
  })
);

const BZ_STREAM_END = 4;

class Bzip2Decoder implements Decoder {
  readonly #stream = new Stream(80, { availIn: 8, nextOut: 24, availOut: 32, wide: false });
  #open = false;

  push(input: Uint8Array<ArrayBuffer>, sink: Sink): void {
    let rest = input;
    while (rest.length > 0) rest = this.#streamPart(rest, sink);
  }

  #streamPart(input: Uint8Array<ArrayBuffer>, sink: Sink): Uint8Array<ArrayBuffer> {
    if (!this.#open) {
      this.#stream.bytes.fill(0);
      libbz2().BZ2_bzDecompressInit(this.#stream.bytes, 0, 0);
      this.#open = true;
    }
    this.#stream.setInput(input);
    for (;;) {
      this.#stream.resetOutput();
      const result = libbz2().BZ2_bzDecompress(this.#stream.bytes);
      if (result < 0) throw new CompressedDataError("bzip2 data is corrupt");
      const piece = this.#stream.produced;
      if (piece.length > 0) sink(piece);
      const left = this.#stream.inputLeft;
      if (result === BZ_STREAM_END) {
        this[Symbol.dispose]();
        return input.subarray(input.length - left);
      }
      if (left === 0 && piece.length < OUTPUT_BYTES) return input.subarray(input.length);
    }
  }

  end(): void {
    if (this.#open) throw new CompressedDataError("bzip2 data ends too early");
  }

  [Symbol.dispose](): void {
    if (this.#open) libbz2().BZ2_bzDecompressEnd(this.#stream.bytes);
    this.#open = false;
  }
}
