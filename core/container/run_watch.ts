/**
 * Waiting for things to happen to a container: output, its end.
 *
 * @module
 */
import {
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE_SELF,
  IN_MODIFY,
  IN_MOVED_TO,
  O_RDONLY,
} from "../../ffi/abi/constants.ts";
import { openIfThere } from "../../ffi/fd.ts";
import { Watcher } from "../../ffi/inotify.ts";
import { isLocked } from "../../ffi/lock.ts";
import { LOCK_RUN, readRun } from "./state.ts";

/** Watches a container's directory: everything the monitor writes, and its death, which closes what it wrote to. */
export function watchContainer(directory: string): Watcher {
  const watcher = new Watcher();
  try {
    watcher.add(directory, IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF);
    return watcher;
  } catch (error) {
    watcher[Symbol.dispose]();
    throw error;
  }
}

/** Whether the container does not run: its end is recorded, or its monitor is gone. */
export function hasEnded(directory: string): boolean {
  if (readRun(directory)?.exit !== undefined) return true;
  using lock = openIfThere(`${directory}/lock`, O_RDONLY);
  return lock === undefined || !isLocked(lock, LOCK_RUN);
}

/** Resolves when the container does not run any more. @throws The signal's reason. */
export async function waitForEnd(directory: string, signal?: AbortSignal): Promise<void> {
  if (hasEnded(directory)) return;
  let watcher: Watcher;
  try {
    watcher = watchContainer(directory);
  } catch {
    return; // it has been removed
  }
  using _watcher = watcher;
  // Without a listener left on it, a signal's timer does not keep the program from ending.
  const aborted = Promise.withResolvers<void>();
  const wake = () => aborted.resolve();
  signal?.addEventListener("abort", wake);
  try {
    while (!hasEnded(directory)) {
      signal?.throwIfAborted();
      await Promise.race([watcher.changed(), aborted.promise]);
    }
  } finally {
    signal?.removeEventListener("abort", wake);
  }
}
