/**
 * A blob as one stream, however often the connection breaks.
 *
 * @module
 */
import type { Descriptor } from "../spec/image.ts";
import type { Bytes } from "./body.ts";
import { RegistryError } from "./errors.ts";
import { backoffMs, DEFAULT_LIMITS, type Limits, pause } from "./limits.ts";
import type { CallOptions, Repository } from "./repository.ts";

/** So much must come of a connection for it to count as headway: a byte a minute is none. */
const HEADWAY = 64 << 10;

/** Where to begin, and whom to tell. */
export interface DownloadOptions extends CallOptions {
  /** The first byte wanted. @default 0 */
  offset?: number;
  /** Told before the connection is made anew. */
  onRetry?(event: { attempt: number; delayMs: number; error: Error }): void;
  /** Patience; the defaults suit. */
  limits?: Pick<Limits, "attempts" | "backoffMs" | "backoffMaxMs">;
}

/**
 * Reads the blob from `offset` to its end; connects again, where it broke off, as long as that makes headway.
 *
 * The stream ends after exactly `descriptor.size - offset` bytes and fails if the registry has fewer or more. The digest
 * is the reader's to check.
 *
 * @throws (the stream) {DhowError} `unavailable` after so many tries without headway; `digest_mismatch` for a wrong size.
 */
export function downloadBlob(
  repository: Repository,
  descriptor: Pick<Descriptor, "digest" | "size">,
  options: DownloadOptions = {},
): ReadableStream<Bytes> {
  const download = new Download(repository, descriptor, options);
  return new ReadableStream({
    async pull(controller) {
      const chunk = await download.next();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: (reason) => download.cancel(reason),
  }, { highWaterMark: 0 });
}

class Download {
  readonly #repository: Repository;
  readonly #descriptor: Pick<Descriptor, "digest" | "size">;
  readonly #options: DownloadOptions;
  readonly #limits: NonNullable<DownloadOptions["limits"]>;
  #reader: ReadableStreamDefaultReader<Bytes> | undefined;
  /** The next byte the reader of the stream wants. */
  #at: number;
  /** The next byte the registry will send: behind `#at` where it does not know ranges. */
  #from = 0;
  #failures = 0;
  /** Where the connection began. */
  #began = 0;

  constructor(
    repository: Repository,
    descriptor: Pick<Descriptor, "digest" | "size">,
    options: DownloadOptions,
  ) {
    this.#repository = repository;
    this.#descriptor = descriptor;
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_LIMITS;
    this.#at = options.offset ?? 0;
  }

  /** The next bytes; undefined at the end. */
  async next(): Promise<Bytes | undefined> {
    while (true) {
      if (this.#at >= this.#descriptor.size && this.#reader === undefined) return undefined;
      try {
        const chunk = await this.#read();
        if (chunk === undefined) return undefined;
        if (chunk.length === 0) continue;
        if (this.#at - this.#began >= HEADWAY) this.#failures = 0;
        return chunk;
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  async cancel(reason: unknown): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    // A body that has failed already cannot be cancelled, and need not be.
    await reader?.cancel(reason).catch(() => {});
  }

  /** One read, from wherever it must come. */
  async #read(): Promise<Bytes | undefined> {
    const { digest, size } = this.#descriptor;
    if (this.#reader === undefined) await this.#connect();
    const { done, value } = await this.#reader!.read();
    if (done) {
      this.#reader = undefined;
      if (this.#at === size) return undefined;
      throw new RegistryError(
        "unavailable",
        `Cannot read blob ${digest}: it ends after ${this.#at} of ${size} bytes`,
        { isTemporary: true },
      );
    }
    const skip = Math.max(0, Math.min(this.#at - this.#from, value.length));
    this.#from += value.length;
    if (this.#from > size) throw tooLarge(digest, size);
    const chunk = skip === 0 ? value : value.subarray(skip);
    this.#at += chunk.length;
    return chunk;
  }

  async #connect(): Promise<void> {
    const { digest, size } = this.#descriptor;
    const { signal } = this.#options;
    const { body, offset, sizeBytes } = await this.#repository.blob(digest, {
      offset: this.#at,
      ...signal && { signal },
    });
    this.#reader = body.getReader();
    this.#began = this.#at;
    this.#from = offset;
    if (sizeBytes !== undefined && sizeBytes > size) throw tooLarge(digest, size);
    if (sizeBytes !== undefined && sizeBytes < size) {
      throw new RegistryError(
        "digest_mismatch",
        `Cannot read blob ${digest}: the registry has ${sizeBytes} bytes of it, and the manifest says ${size}`,
      );
    }
    if (offset > this.#at) {
      throw new RegistryError(
        "unavailable",
        `Cannot read blob ${digest}: asked for byte ${this.#at}, the registry begins at ${offset}`,
      );
    }
  }

  /** Waits for the next try. @throws What went wrong, if there is none. */
  async #recover(error: unknown): Promise<void> {
    await this.cancel(error);
    const { signal, onRetry } = this.#options;
    signal?.throwIfAborted();
    // A refusal has been tried again already, below.
    const isBroken = error instanceof RegistryError && error.isTemporary &&
      error.status === undefined;
    if (!isBroken || ++this.#failures >= this.#limits.attempts) throw error;
    const delayMs = backoffMs(this.#limits as Limits, this.#failures);
    onRetry?.({ attempt: this.#failures, delayMs, error });
    await pause(delayMs, signal);
  }
}

function tooLarge(digest: string, size: number): RegistryError {
  return new RegistryError(
    "digest_mismatch",
    `Cannot read blob ${digest}: the registry has more than the ${size} bytes that the manifest says`,
  );
}
