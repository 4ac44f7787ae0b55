/**
 * Waiting a moment without timers.
 *
 * @module
 */
import { pollAsync } from "../../ffi/fd.ts";

/**
 * Resolves after `ms` milliseconds; the event loop goes on.
 *
 * The first use of `setTimeout` makes Deno load its node:timers, 4 ms that a short command does not have to spend.
 */
export async function sleep(ms: number): Promise<void> {
  await pollAsync([], ms);
}
