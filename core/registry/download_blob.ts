/**
 * A blob as one stream, however often the connection breaks.
 *
 * @module
 */
import type { Descriptor } from "../spec/image.ts";
import type { CallOptions, Repository } from "./repository.ts";

/** Where to begin, and whom to tell. */
export interface DownloadOptions extends CallOptions {
  /** The first byte wanted. @default 0 */
  offset?: number;
  /** Told before the connection is made anew. */
  onRetry?(event: { attempt: number; delayMs: number; error: Error }): void;
}

/**
 * Reads the blob from `offset` to its end; connects again, where it broke off, as long as that makes headway.
 *
 * The stream ends after exactly `descriptor.size` bytes and fails if the registry has fewer or more. The digest is the
 * reader's to check.
 */
export function downloadBlob(
  repository: Repository,
  descriptor: Pick<Descriptor, "digest" | "size">,
  options: DownloadOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { offset = 0, signal } = options;
  let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  return new ReadableStream({
    async pull(controller) {
      if (reader === undefined) {
        const { body } = await repository.blob(descriptor.digest, {
          offset,
          ...signal && { signal },
        });
        reader = body.getReader();
      }
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader?.cancel(reason),
  }, { highWaterMark: 0 });
}
