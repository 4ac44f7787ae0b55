/**
 * Blobs on their way from elsewhere: `tmp/pull-HEX`, named by the digest that they are to have, so that a later command
 * goes on where this one was stopped. Who writes holds the file's lock; others wait, and find the blob there.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { removeIfThere } from "../host/remove_if_there.ts";
import { isThere } from "../host/stat.ts";
import type { StorePaths } from "../host/paths.ts";
import { blobName } from "../lib/digest.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import { blobPath } from "./blob.ts";
import { explainDiskError } from "./disk_error.ts";
import { type LockOptions, openLocked } from "./file_lock.ts";
import { ensureLayout } from "./layout.ts";

/** How the names of blobs that are being fetched begin in `tmp/`. */
export const PARTIAL_BLOB = "pull-";

const BUFFER_BYTES = 1 << 20;

/** Where the beginning of a blob is kept until the rest has come. */
export function partialPath(paths: StorePaths, digest: Digest): string {
  return `${paths.tmp}/${PARTIAL_BLOB}${blobName(digest)}`;
}

type Hash = ReturnType<typeof import("node:crypto").createHash>;

/**
 * One blob being written: `append()` what comes after {@linkcode sizeBytes}, `commit()`, dispose. Without `commit` what
 * came stays for the next one who wants the blob.
 *
 * The caller holds a lease (`leaseStore`) until something refers to the blob.
 */
export class PartialBlob implements Disposable {
  readonly #paths: StorePaths;
  readonly #descriptor: Pick<Descriptor, "digest" | "size">;
  readonly #file: Deno.FsFile;
  readonly #newHash: () => Hash;
  #hash: Hash;
  #sizeBytes = 0;

  private constructor(
    paths: StorePaths,
    descriptor: Pick<Descriptor, "digest" | "size">,
    options: { file: Deno.FsFile; newHash: () => Hash },
  ) {
    this.#paths = paths;
    this.#descriptor = descriptor;
    this.#file = options.file;
    this.#newHash = options.newHash;
    this.#hash = options.newHash();
  }

  /**
   * Takes the blob on, or waits for who has.
   *
   * @returns undefined if the blob is there, complete.
   * @throws {DhowError} `read_only`, `no_space`; the signal's reason.
   */
  static async open(
    paths: StorePaths,
    descriptor: Pick<Descriptor, "digest" | "size">,
    options: LockOptions = {},
  ): Promise<PartialBlob | undefined> {
    ensureLayout(paths);
    const { createHash } = await import("node:crypto");
    const path = partialPath(paths, descriptor.digest);
    let file: Deno.FsFile;
    try {
      file = await openLocked(path, options);
    } catch (error) {
      throw explainDiskError(`write a blob into "${paths.root}"`, error);
    }
    const newHash = () => createHash("sha256");
    const partial = new PartialBlob(paths, descriptor, { file, newHash });
    try {
      if (isThere(blobPath(paths, descriptor.digest))) {
        partial.discard();
        return undefined;
      }
      await partial.#takeOver(options.signal);
      return partial;
    } catch (error) {
      partial[Symbol.dispose]();
      throw error;
    }
  }

  /** Bytes that are there: where the next ones belong. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Where it is now; after {@linkcode commit} it is among the blobs. */
  get path(): string {
    return partialPath(this.#paths, this.#descriptor.digest);
  }

  /** Hashes what an earlier command left. */
  async #takeOver(signal: AbortSignal | undefined): Promise<void> {
    const { size } = this.#file.statSync();
    if (size > this.#descriptor.size) return this.restart();
    const buffer = new Uint8Array(BUFFER_BYTES);
    while (this.#sizeBytes < size) {
      signal?.throwIfAborted();
      const n = await this.#file.read(buffer);
      if (n === null) break;
      this.#hash.update(buffer.subarray(0, n));
      this.#sizeBytes += n;
    }
  }

  /** Forgets what is there: it was not what it should be. */
  restart(): void {
    this.#file.truncateSync(0);
    this.#file.seekSync(0, Deno.SeekMode.Start);
    this.#hash = this.#newHash();
    this.#sizeBytes = 0;
  }

  /** @throws {DhowError} `no_space`; what is there goes then. `digest_mismatch` if it gets too long. */
  append(bytes: Uint8Array): void {
    if (this.#sizeBytes + bytes.length > this.#descriptor.size) {
      throw this.#mismatch(`it is longer than ${this.#descriptor.size} bytes`);
    }
    let rest = bytes;
    try {
      while (rest.length > 0) rest = rest.subarray(this.#file.writeSync(rest));
    } catch (error) {
      this.discard();
      throw explainDiskError(`write a blob into "${this.#paths.root}"`, error);
    }
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
  }

  /**
   * Puts the blob in place, on the disk and under its name.
   *
   * @throws {DhowError} `digest_mismatch`: what is there is then of no use; `no_space`.
   */
  async commit(): Promise<void> {
    const { digest, size } = this.#descriptor;
    if (this.#sizeBytes !== size) {
      throw this.#mismatch(`it has ${this.#sizeBytes} bytes instead of ${size}`);
    }
    const found = `sha256:${this.#hash.copy().digest("hex")}`;
    if (found !== digest) throw this.#mismatch(`its digest is ${found}`);
    try {
      await this.#file.syncData();
      await Deno.chmod(this.path, 0o644);
      await Deno.rename(this.path, blobPath(this.#paths, digest));
    } catch (error) {
      this.discard();
      throw explainDiskError(`store blob ${digest}`, error);
    }
  }

  /** Takes away what is there. */
  discard(): void {
    removeIfThere(this.path);
    this[Symbol.dispose]();
  }

  #mismatch(what: string): DhowError {
    return new DhowError(
      "digest_mismatch",
      `filesystem layer verification failed for digest ${this.#descriptor.digest}: ${what}`,
    );
  }

  [Symbol.dispose](): void {
    try {
      this.#file.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}
