/**
 * What decoders of all compressions have in common.
 *
 * @module
 */

/** A compression this machine may know. */
export type Compression = "gzip" | "zstd" | "xz" | "bzip2";

/** The bytes are not what their header promised; the message says how. */
export class CompressedDataError extends Error {
  override name = "CompressedDataError";
}

/** The library for a compression is not installed. */
export class MissingLibraryError extends Error {
  override name = "MissingLibraryError";
  /** @param library The file that cannot be opened: `libzstd.so.1`. */
  constructor(readonly library: string, options?: ErrorOptions) {
    super(`Cannot open ${library}`, options);
  }
}

/** Takes compressed bytes as they come and hands out what they hold. */
export interface Decoder extends Disposable {
  /** Decodes `input`; `sink` sees each piece before the next is made and must not keep it. @throws {CompressedDataError} */
  push(input: Uint8Array<ArrayBuffer>, sink: (piece: Uint8Array<ArrayBuffer>) => void): void;
  /** Says that no more comes. @throws {CompressedDataError} if more was needed. */
  end(sink: (piece: Uint8Array<ArrayBuffer>) => void): void;
}

/** Sees each piece before the next is made and must not keep it. */
export type Sink = (piece: Uint8Array<ArrayBuffer>) => void;

/** How much is handed out at once, at most. */
export const OUTPUT_BYTES = 1 << 20;

/** Opens a library. @throws {MissingLibraryError} */
export function openLibrary<const S extends Deno.ForeignLibraryInterface>(
  name: string,
  table: S,
): Deno.DynamicLibrary<S>["symbols"] {
  try {
    return Deno.dlopen(name, table).symbols;
  } catch (cause) {
    throw new MissingLibraryError(name, { cause });
  }
}

/** Makes a function that opens a library once. */
export function lazily<T>(open: () => T): () => T {
  let value: T | undefined;
  return () => value ??= open();
}

/** Where bytes lie. They must be kept from being collected. */
export function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}
