/**
 * Bodies of answers, read with suspicion: they may be endless, or take forever.
 *
 * @module
 */
import { connectionError } from "./connection_error.ts";
import { RegistryError } from "./errors.ts";
import type { Limits } from "./limits.ts";

/** Bytes of a stream, as fetch gives and takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Passes `body` on, and fails once too little of it comes.
 *
 * Only the time that a reader spends waiting counts: a slow reader is not the registry's fault. What fetch makes of an
 * aborted signal is not relied upon: Deno forgets it once its own request object has been collected as garbage.
 *
 * @param what The request, for errors.
 * @param signal Ends it too; its reason is then the error.
 */
export function watchBody(
  body: ReadableStream<Bytes>,
  limits: Limits,
  options: { what: string; url: URL; signal: AbortSignal | undefined },
): ReadableStream<Bytes> {
  const { what, url, signal } = options;
  const reader = body.getReader();
  let failure: { reason: unknown } | undefined;
  let waitedMs = 0;
  let bytes = 0;
  /** Ends the pending read, too. */
  function stop(reason: unknown): void {
    failure ??= { reason };
    reader.cancel(reason).catch(() => {});
  }
  function stalled(): void {
    if (bytes >= limits.stallBytes) {
      [waitedMs, bytes] = [0, 0];
      return;
    }
    const message = `${what}: the registry sent ${bytes} bytes in ${limits.stallMs / 1000} s`;
    stop(new RegistryError("unavailable", message, { isTemporary: true }));
  }
  const onAbort = () => stop(signal!.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const release = () => signal?.removeEventListener("abort", onAbort);
  return new ReadableStream({
    async pull(controller) {
      const before = performance.now();
      // An interval: after a window that was good enough the next one begins.
      const timer = setInterval(stalled, Math.max(1, limits.stallMs - waitedMs));
      try {
        const { done, value } = await reader.read();
        if (failure !== undefined) throw failure.reason;
        if (done) {
          release();
          return controller.close();
        }
        waitedMs += performance.now() - before;
        bytes += value.length;
        if (waitedMs >= limits.stallMs) stalled();
        controller.enqueue(value);
      } catch (error) {
        release();
        throw failure !== undefined ? failure.reason : connectionError(what, url, error);
      } finally {
        clearInterval(timer);
      }
    },
    cancel(reason) {
      release();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/**
 * Reads a whole body of at most `max` bytes.
 *
 * @returns Undefined if there is more; the rest is then left to the registry.
 */
export async function readBounded(
  body: ReadableStream<Bytes> | null,
  max: number,
): Promise<Bytes | undefined> {
  const chunks: Bytes[] = [];
  let size = 0;
  if (body !== null) {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > max) return undefined; // Leaving the loop cancels the body.
      chunks.push(chunk);
    }
  }
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** The beginning of a body as text, for errors: at most 64 KiB, and nothing at all if it breaks off. */
export async function readErrorText(body: ReadableStream<Bytes> | null): Promise<string> {
  try {
    return new TextDecoder().decode(await readBounded(body, 64 << 10));
  } catch {
    return "";
  }
}
