/**
 * Blobs of one image on their way from a registry: each once, a few at a time, going on where an earlier command was
 * stopped, and readable while they come.
 *
 * @module
 */
import { isThere } from "../host/stat.ts";
import type { StorePaths } from "../host/paths.ts";
import { DhowError } from "../errors.ts";
import { downloadBlob } from "../registry/download_blob.ts";
import type { Repository } from "../registry/repository.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import type { ProgressListener, TransferStatus } from "../spec/progress.ts";
import { blobPath } from "../store/blob.ts";
import { PartialBlob, partialPath } from "../store/partial_blob.ts";

/** How many blobs come at once: docker's number. */
const PARALLEL = 3;
/** How often progress is told, and how many bytes come before a reader hears of them. */
const PROGRESS_MS = 100;
const NEWS_BYTES = 1 << 19;

/** Hears how much of a blob is there; it is complete only when its digest was found right. */
export type BlobReader = (filledBytes: number, isComplete: boolean) => void;

/** What a fetcher is given. */
export interface FetcherOptions {
  signal: AbortSignal;
  onProgress: ProgressListener;
  /** Told when a blob will not come. */
  onError(error: unknown): void;
}

/** Fetches the blobs of one image. */
export class BlobFetcher {
  readonly #paths: StorePaths;
  readonly #repository: Repository;
  readonly #options: FetcherOptions;
  readonly #fetches = new Map<Digest, BlobFetch>();
  readonly #slots = new Slots(PARALLEL);

  constructor(paths: StorePaths, repository: Repository, options: FetcherOptions) {
    this.#paths = paths;
    this.#repository = repository;
    this.#options = options;
  }

  /** Begins to fetch a blob, unless that was begun before. */
  fetch(descriptor: Descriptor): BlobFetch {
    let fetch = this.#fetches.get(descriptor.digest);
    if (fetch === undefined) {
      fetch = new BlobFetch(this.#paths, descriptor, this.#options);
      this.#fetches.set(descriptor.digest, fetch);
      fetch.run(this.#repository, this.#slots);
    }
    return fetch;
  }

  /** Resolves when nothing is being fetched any more, whatever became of it. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#fetches.values()].map(({ done }) => done));
  }

  /** Takes away what is incomplete: it would only fill a full disk. */
  discard(): void {
    for (const { descriptor } of this.#fetches.values()) {
      try {
        Deno.removeSync(partialPath(this.#paths, descriptor.digest));
      } catch { /* it is not there */ }
    }
  }
}

/** One blob. */
export class BlobFetch {
  readonly descriptor: Descriptor;
  /** Resolves when it is in the store; rejects if it will not come. */
  readonly done: Promise<void>;
  /** Resolves when readers may begin: before all is there if it is fetched from its start. */
  readonly begun: Promise<void>;
  readonly #done = Promise.withResolvers<void>();
  readonly #begun = Promise.withResolvers<void>();
  readonly #paths: StorePaths;
  readonly #options: FetcherOptions;
  readonly #readers: BlobReader[] = [];
  #filledBytes = 0;
  #isComplete = false;
  #toldBytes = 0;
  #toldMs = 0;

  constructor(paths: StorePaths, descriptor: Descriptor, options: FetcherOptions) {
    this.#paths = paths;
    this.descriptor = descriptor;
    this.#options = options;
    this.done = this.#done.promise;
    this.begun = this.#begun.promise;
    this.done.catch(() => {});
    this.begun.catch(() => {});
  }

  /** Where the blob is, or will be, the likeliest first. */
  get names(): string[] {
    const { digest } = this.descriptor;
    return [partialPath(this.#paths, digest), blobPath(this.#paths, digest)];
  }

  /** Tells `reader` how much is there, now and whenever more comes. */
  follow(reader: BlobReader): void {
    this.#readers.push(reader);
    reader(this.#filledBytes, this.#isComplete);
  }

  /** Fetches it; {@linkcode done} says how it went. */
  async run(repository: Repository, slots: Slots): Promise<void> {
    try {
      if (isThere(blobPath(this.#paths, this.descriptor.digest))) return this.#complete();
      using _slot = await slots.take(() => this.#tell("Waiting"));
      await this.#fetch(repository);
      this.#complete();
    } catch (error) {
      this.#begun.reject(error);
      this.#done.reject(error);
      this.#options.onError(error);
    }
  }

  async #fetch(repository: Repository): Promise<void> {
    const { signal } = this.#options;
    using partial = await PartialBlob.open(this.#paths, this.descriptor, {
      signal,
      onWait: () => this.#tell("Waiting"),
    });
    if (partial === undefined) return;
    // What an earlier command left may be damaged: then it is fetched anew, so nobody may have read it.
    const isResumed = partial.sizeBytes > 0;
    if (!isResumed) this.#begun.resolve();
    try {
      await this.#receive(repository, partial);
    } catch (error) {
      const isDamaged = error instanceof DhowError && error.code === "digest_mismatch";
      if (!isDamaged) throw error;
      if (!isResumed) {
        partial.discard();
        throw error;
      }
      partial.restart();
      await this.#receive(repository, partial);
    }
  }

  async #receive(repository: Repository, partial: PartialBlob): Promise<void> {
    const { signal } = this.#options;
    const offset = partial.sizeBytes;
    if (offset < this.descriptor.size) {
      const body = downloadBlob(repository, this.descriptor, { offset, signal });
      for await (const chunk of body) {
        partial.append(chunk);
        this.#grow(partial.sizeBytes);
        // Lets go of it now: the collector would wait until there are a hundred MB of such.
        chunk.buffer.transfer(0);
      }
    }
    this.#tell("Verifying Checksum");
    await partial.commit();
    this.#tell("Download complete");
  }

  #grow(sizeBytes: number): void {
    this.#filledBytes = sizeBytes;
    if (sizeBytes - this.#toldBytes >= NEWS_BYTES) {
      this.#toldBytes = sizeBytes;
      for (const reader of this.#readers) reader(sizeBytes, false);
    }
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < PROGRESS_MS) return;
    this.#toldMs = nowMs;
    this.#tell("Downloading", sizeBytes);
  }

  #complete(): void {
    this.#filledBytes = this.descriptor.size;
    this.#isComplete = true;
    this.#begun.resolve();
    for (const reader of this.#readers) reader(this.#filledBytes, true);
    this.#done.resolve();
  }

  #tell(status: TransferStatus, currentBytes?: number): void {
    this.#options.onProgress({
      kind: "layer",
      id: shortDigest(this.descriptor.digest),
      status,
      ...currentBytes !== undefined && { currentBytes, totalBytes: this.descriptor.size },
    });
  }
}

/** `sha256:0123...` as docker shows it. */
export function shortDigest(digest: Digest): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}

/** Lets only so many through at once, in the order they came. */
export class Slots {
  #free: number;
  readonly #queue: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for its turn. @param onWait Told if it has to. */
  async take(onWait: () => void): Promise<Disposable> {
    if (this.#free > 0) this.#free--;
    else {
      onWait();
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
    return {
      [Symbol.dispose]: () => {
        const next = this.#queue.shift();
        if (next !== undefined) next();
        else this.#free++;
      },
    };
  }
}
