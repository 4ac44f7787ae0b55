/**
 * Layers and archives come plain or compressed; which, their first bytes say.
 *
 * @module
 */
import {
  CompressedDataError,
  type Compression,
  type Decoder,
  MissingLibraryError,
  openDecoder,
} from "../../ffi/compression.ts";
import { DhowError } from "../errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const MAGICS: [Compression, number[]][] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];
/** How many first bytes {@linkcode detectCompression} wants to see. */
const MAGIC_MAX = 6;

const PACKAGES: Record<string, string> = {
  "libz.so.1": "zlib1g",
  "libzstd.so.1": "libzstd1",
  "liblzma.so.5": "liblzma5",
  "libbz2.so.1.0": "libbz2-1.0",
};

/** Says how data is compressed, from its first bytes; undefined is not at all. */
export function detectCompression(head: Uint8Array): Compression | undefined {
  return MAGICS.find(([, magic]) => magic.every((byte, i) => head[i] === byte))?.[0] ??
    (isSkippableZstd(head) ? "zstd" : undefined);
}

/** zstd:chunked and pzstd may begin with a frame of metadata. */
function isSkippableZstd(head: Uint8Array): boolean {
  return (head[0]! & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
}

/**
 * Takes bytes of whatever compression and hands on what they hold. Push all, then `end()`, then dispose.
 *
 * `push` and `end` throw `invalid_layer` if the data is corrupt or cut short, `unsupported` if this machine lacks the
 * library.
 */
export class Decompressor implements Disposable {
  readonly #sink: (bytes: Bytes) => void;
  #head: Bytes | undefined = new Uint8Array(0);
  #decoder: Decoder | undefined;
  #compression: Compression | undefined;

  /** @param sink Sees each piece in order, and must not keep it. */
  constructor(sink: (bytes: Bytes) => void) {
    this.#sink = sink;
  }

  /** What was found; known once {@linkcode push} has seen the first bytes. */
  get compression(): Compression | undefined {
    return this.#compression;
  }

  /** Whether {@linkcode compression} is known: enough first bytes came. */
  get started(): boolean {
    return this.#head === undefined;
  }

  push(bytes: Bytes): void {
    if (this.#head !== undefined) {
      const head: Bytes = this.#head.length === 0 ? bytes : concatenated(this.#head, bytes);
      if (head.length < MAGIC_MAX) {
        this.#head = head.slice();
        return;
      }
      this.#start(head);
      return;
    }
    this.#decode(bytes);
  }

  end(): void {
    if (this.#head !== undefined && this.#head.length > 0) this.#start(this.#head);
    this.#guard(() => this.#decoder?.end(this.#sink));
  }

  #start(head: Bytes): void {
    this.#head = undefined;
    this.#compression = detectCompression(head);
    const { compression } = this;
    if (compression) this.#decoder = this.#guard(() => openDecoder(compression));
    this.#decode(head);
  }

  #decode(bytes: Bytes): void {
    const decoder = this.#decoder;
    if (decoder === undefined) this.#sink(bytes);
    else this.#guard(() => decoder.push(bytes, this.#sink));
  }

  #guard<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof CompressedDataError) {
        throw new DhowError("invalid_layer", `Cannot decompress: ${error.message}`, {
          cause: error,
        });
      }
      if (error instanceof MissingLibraryError) {
        throw new DhowError(
          "unsupported",
          `Cannot decompress ${this.#compression} data: ${error.library} is missing; install the package ${
            PACKAGES[error.library] ?? error.library
          }`,
          { cause: error },
        );
      }
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#decoder?.[Symbol.dispose]();
  }
}

function concatenated(a: Bytes, b: Bytes): Bytes {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
