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
  /** The blob's path; or a descriptor open for reading. */
  blob: string | number;
  /** A directory that does not exist yet, in one that does. */
  into: string;
  /** The digest its uncompressed bytes must have. */
  diffId?: Digest;
}

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
  const fd = typeof blob === "number" ? blob : openat(AT_FDCWD, blob, O_RDONLY);
  try {
    using unpacker = new LayerUnpacker(request.into, request);
    const reader = new TarReader(unpacker);
    using decompressor = new Decompressor((bytes) => {
      hasher.update(bytes);
      reader.push(bytes);
    });
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (let n = read(fd, buffer); n > 0; n = read(fd, buffer)) {
      decompressor.push(buffer.subarray(0, n));
    }
    decompressor.end();
    reader.end();
    return unpacker.finish();
  } finally {
    if (typeof blob === "string") close(fd);
  }
}
