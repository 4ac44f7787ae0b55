/**
 * Blobs: content-addressed files that appear whole or not at all.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { blobName } from "../lib/digest.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import { explainDiskError } from "./disk_error.ts";
import { ensureLayout } from "./layout.ts";

/** Manifests and configs larger than this are refused: they are held in memory. Registries have the same bound. */
export const DOCUMENT_MAX = 4 << 20;

/** How the names of half-written blobs in `tmp/` begin. */
export const TEMPORARY_BLOB = "blob-";

/** Where a blob is, or would be. */
export function blobPath(paths: StorePaths, digest: Digest): string {
  return `${paths.blobs}/${blobName(digest)}`;
}

/**
 * Reads a manifest or config whole.
 *
 * Its length is compared; its digest was, when it was written, and is not again: that would cost a start 2 ms.
 *
 * @throws {DhowError} `not_found` if it is missing, `digest_mismatch` if its length is wrong.
 */
export function readDocument<T>(
  paths: StorePaths,
  descriptor: { digest: Digest; size?: number },
): T {
  const path = blobPath(paths, descriptor.digest);
  let text: string;
  let size: number;
  try {
    size = Deno.statSync(path).size;
    if (size > DOCUMENT_MAX) {
      throw new DhowError("digest_mismatch", `Cannot use blob "${path}": it is too long`);
    }
    text = Deno.readTextFileSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new DhowError("not_found", `Cannot find blob ${descriptor.digest} in the store`, {
      cause,
    });
  }
  if (descriptor.size !== undefined && descriptor.size !== size) {
    throw new DhowError(
      "digest_mismatch",
      `Cannot use blob "${path}": it has ${size} bytes instead of ${descriptor.size}`,
    );
  }
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new DhowError("digest_mismatch", `Cannot use blob "${path}": it is no JSON`, { cause });
  }
}

/** Writes a document and says where it is. Idempotent. @throws {DhowError} `no_space`, `read_only`. */
export async function writeDocument(
  paths: StorePaths,
  mediaType: string,
  text: string,
): Promise<Descriptor> {
  const bytes = new TextEncoder().encode(text);
  const digest = `sha256:${sha256Hex(bytes)}`;
  using writer = await BlobWriter.create(paths);
  writer.write(bytes);
  writer.commit({ digest });
  return { mediaType, digest, size: bytes.length };
}

/** As node:crypto's `Hash`. */
interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

/**
 * Writes one blob: `write()` its bytes, `commit()`, dispose. Without `commit` nothing remains.
 *
 * The caller holds a lease (`leaseStore`) until something refers to the blob.
 */
export class BlobWriter implements Disposable {
  readonly #paths: StorePaths;
  readonly #temporary: string;
  readonly #hash: Hash;
  #file: Deno.FsFile | undefined;
  #sizeBytes = 0;

  private constructor(paths: StorePaths, hash: Hash) {
    this.#paths = paths;
    this.#hash = hash;
    this.#temporary = `${paths.tmp}/${TEMPORARY_BLOB}${crypto.randomUUID()}`;
    try {
      this.#file = Deno.openSync(this.#temporary, { write: true, createNew: true, mode: 0o644 });
    } catch (error) {
      throw explainDiskError(`write a blob into "${paths.root}"`, error);
    }
  }

  /** Opens a temporary file in the store. @throws {DhowError} `read_only`, `no_space`. */
  static async create(paths: StorePaths): Promise<BlobWriter> {
    return (await BlobWriter.factory(paths))();
  }

  /** As {@linkcode create}, for many: makes a function that opens one at once. */
  static async factory(paths: StorePaths): Promise<() => BlobWriter> {
    ensureLayout(paths);
    const { createHash } = await import("node:crypto");
    return () => new BlobWriter(paths, createHash("sha256"));
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** @throws {DhowError} `no_space`. */
  write(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
    let rest = bytes;
    try {
      while (rest.length > 0) rest = rest.subarray(this.#file!.writeSync(rest));
    } catch (error) {
      throw explainDiskError(`write a blob into "${this.#paths.root}"`, error);
    }
  }

  /**
   * Puts the blob in place.
   *
   * @param expected What it must be.
   * @returns What it is.
   * @throws {DhowError} `digest_mismatch`; `no_space` if the file system says so only now.
   */
  commit(expected: { digest?: Digest; size?: number } = {}): { digest: Digest; size: number } {
    const digest = `sha256:${this.#hash.digest("hex")}`;
    const size = this.#sizeBytes;
    if (expected.digest !== undefined && expected.digest !== digest) {
      throw new DhowError(
        "digest_mismatch",
        `Cannot store blob: its digest is ${digest} instead of ${expected.digest}`,
      );
    }
    if (expected.size !== undefined && expected.size !== size) {
      throw new DhowError(
        "digest_mismatch",
        `Cannot store blob ${digest}: it has ${size} bytes instead of ${expected.size}`,
      );
    }
    try {
      this.#file!.syncSync();
      // Over one of the same content, if there is one: a sweep that began earlier may be about to remove that.
      Deno.renameSync(this.#temporary, blobPath(this.#paths, digest));
    } catch (error) {
      throw explainDiskError(`store blob ${digest}`, error);
    }
    this.#close();
    return { digest, size };
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  [Symbol.dispose](): void {
    if (this.#file === undefined) return;
    this.#close();
    try {
      Deno.removeSync(this.#temporary);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
