/**
 * From a layer's blob to a directory, in one pass: read, check, decompress, hash, parse, write.
 *
 * @module
 */
import { AT_FDCWD, close, O_RDONLY, openat, read, removeTreeAt } from "../../ffi/file.ts";
import { DhowError } from "../errors.ts";
import type { Digest } from "../spec/image.ts";
import { Decompressor } from "./compression.ts";
import { type DiffIdHasher, openDiffIdHasher } from "./diff_id.ts";
import { TarReader } from "./tar_reader.ts";
import { LayerUnpacker, type UnpackOptions, type UnpackSummary } from "./unpack.ts";

/** Large enough that calls cost nothing, small enough to stay in the cache. */
const BUFFER_BYTES = 1 << 17;

/** What to unpack where. */
export interface UnpackBlobRequest extends UnpackOptions {
  /** The blob's path; or a descriptor open for reading; or what fills a buffer and says how much, 0 at the end. */
  blob: string | number | ByteSource;
  /** A directory that does not exist yet, in one that does. */
  into: string;
  /** The digest its uncompressed bytes must have. */
  diffId?: Digest;
  /** How many uncompressed bytes there may be: more is an attack on the disk. @default any number */
  maxBytes?: number;
}

/** Gives a blob piece by piece. */
export type ByteSource = (buffer: Uint8Array<ArrayBuffer>) => number;

/** What came of it. */
export interface UnpackBlobResult extends UnpackSummary {
  diffId: Digest;
}

/**
 * Makes the directory `into` from a layer. If it throws, `into` is gone again.
 *
 * @throws {DhowError} `invalid_layer`; `digest_mismatch` if the diffID is not the expected one; `no_space`.
 */
export async function unpackBlob(request: UnpackBlobRequest): Promise<UnpackBlobResult> {
  using hasher = await openDiffIdHasher(request.blob);
  makeRoot(request.into);
  try {
    const summary = pump(request, hasher);
    const diffId = await hasher.finish();
    if (request.diffId !== undefined && request.diffId !== diffId) {
      throw new DhowError(
        "digest_mismatch",
        `Cannot unpack layer: its diffID is ${diffId}, the image says ${request.diffId}`,
      );
    }
    return { ...summary, diffId };
  } catch (error) {
    removeAfter(request.into, error);
    throw error;
  }
}

function makeRoot(path: string): void {
  Deno.mkdirSync(path, { mode: 0o755 });
  // The umask takes no part in what a layer looks like.
  Deno.chmodSync(path, 0o755);
}

function removeAfter(path: string, error: unknown): void {
  try {
    removeTreeAt(AT_FDCWD, path);
  } catch (cleanup) {
    throw new AggregateError([error, cleanup], `${(error as Error).message}; and "${path}" stays`);
  }
}

function pump(request: UnpackBlobRequest, hasher: DiffIdHasher): UnpackSummary {
  const { blob } = request;
  if (typeof blob === "function") return pumpFrom(blob, request, hasher);
  const fd = typeof blob === "number" ? blob : openat(AT_FDCWD, blob, O_RDONLY);
  try {
    return pumpFrom((buffer) => read(fd, buffer), request, hasher);
  } finally {
    if (typeof blob === "string") close(fd);
  }
}

function pumpFrom(
  source: ByteSource,
  request: UnpackBlobRequest,
  hasher: DiffIdHasher,
): UnpackSummary {
  const { maxBytes = Infinity } = request;
  let plainBytes = 0;
  using unpacker = new LayerUnpacker(request.into, request);
  const reader = new TarReader(unpacker);
  using decompressor = new Decompressor((bytes) => {
    plainBytes += bytes.length;
    if (plainBytes > maxBytes) throw tooLarge(maxBytes);
    hasher.update(bytes);
    reader.push(bytes);
  });
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (let n = source(buffer); n > 0; n = source(buffer)) {
    decompressor.push(buffer.subarray(0, n));
  }
  decompressor.end();
  reader.end();
  return unpacker.finish();
}

function tooLarge(maxBytes: number): DhowError {
  return new DhowError(
    "invalid_layer",
    `Cannot unpack layer: it holds more than ${maxBytes} bytes, which is out of proportion to its compressed size`,
  );
}
