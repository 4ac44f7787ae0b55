/**
 * From a layer's blob to a directory, in one pass: read, check, decompress, hash, parse, write.
 *
 * @module
 */
import { close, O_RDONLY, openat, read, removeTreeAt } from "../../ffi/file.ts";
import { DhowError } from "../errors.ts";
import type { Digest } from "../spec/image.ts";
import { Decompressor } from "./compression.ts";
import { TarReader } from "./tar_reader.ts";
import { LayerUnpacker, type UnpackOptions, type UnpackSummary } from "./unpack.ts";

/** Large enough that calls cost nothing, small enough to stay in the cache. */
const BUFFER_BYTES = 1 << 17;

/** As node:crypto's `Hash`, which is what is passed. */
interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

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
  const { createHash } = await import("node:crypto");
  return unpackInto(request, createHash("sha256"));
}

function unpackInto(request: UnpackBlobRequest, hash: Hash): UnpackBlobResult {
  Deno.mkdirSync(request.into, { mode: 0o755 });
  // The umask takes no part in what a layer looks like.
  Deno.chmodSync(request.into, 0o755);
  try {
    return pump(request, hash);
  } catch (error) {
    removeAfter(request.into, error);
    throw error;
  }
}

function removeAfter(path: string, error: unknown): void {
  try {
    removeTreeAt(-100, path);
  } catch (cleanup) {
    throw new AggregateError([error, cleanup], `${(error as Error).message}; and "${path}" stays`);
  }
}

function pump(request: UnpackBlobRequest, hash: Hash): UnpackBlobResult {
  const fd = typeof request.blob === "number" ? request.blob : openat(-100, request.blob, O_RDONLY);
  try {
    using unpacker = new LayerUnpacker(request.into, request);
    const reader = new TarReader(unpacker);
    using decompressor = new Decompressor((bytes) => {
      hash.update(bytes);
      reader.push(bytes);
    });
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (let n = read(fd, buffer); n > 0; n = read(fd, buffer)) {
      decompressor.push(buffer.subarray(0, n));
    }
    decompressor.end();
    reader.end();
    const diffId = `sha256:${hash.digest("hex")}`;
    if (request.diffId !== undefined && request.diffId !== diffId) {
      throw new DhowError(
        "digest_mismatch",
        `Cannot unpack layer: its diffID is ${diffId}, the image says ${request.diffId}`,
      );
    }
    return { ...unpacker.finish(), diffId };
  } finally {
    if (typeof request.blob === "string") close(fd);
  }
}
