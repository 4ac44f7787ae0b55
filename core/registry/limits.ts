/**
 * How patient the registry client is.
 *
 * @module
 */

/** Patience with a registry; the defaults suit slow lines. */
export interface Limits {
  /** Until an answer begins. @default 30000 */
  answerMs: number;
  /** Until an answer begins to a request that makes the registry store something. @default 300000 */
  storeMs: number;
  /** In so much time spent waiting, at least `stallBytes` of a body must come. @default 30000 */
  stallMs: number;
  /** @default 1024 */
  stallBytes: number;
  /** How often a request is sent before giving up. @default 5 */
  attempts: number;
  /** Pause before the second try; each one after is twice as long. @default 500 */
  backoffMs: number;
  /** A longer pause than this is not worth waiting for, even if the registry asks for it. @default 60000 */
  backoffMaxMs: number;
}

/** What {@linkcode Limits} says. */
export const DEFAULT_LIMITS: Readonly<Limits> = {
  answerMs: 30_000,
  storeMs: 300_000,
  stallMs: 30_000,
  stallBytes: 1024,
  attempts: 5,
  backoffMs: 500,
  backoffMaxMs: 60_000,
};

/** The pause before try number `attempt + 1`: twice as long each time, and never the same for two clients. */
export function backoffMs(limits: Limits, attempt: number): number {
  const full = Math.min(limits.backoffMs * 2 ** (attempt - 1), limits.backoffMaxMs);
  return full * (0.5 + Math.random() / 2);
}

/** Waits. @throws The signal's reason as soon as it is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
