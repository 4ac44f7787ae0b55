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
  O_CLOEXEC,
  O_RDONLY,
} from "../../ffi/abi/constants.ts";
import { type Fd, openIfThere, read } from "../../ffi/fd.ts";
import { seek } from "../../ffi/file.ts";
import { Watcher } from "../../ffi/inotify.ts";
import { isLocked } from "../../ffi/lock.ts";
import { decodeRunRecord, RUN_RECORD_SIZE } from "../runtime/run_record.ts";
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

/** A run's record, kept open: it can be read when somebody else has removed the container meanwhile. */
export class KeptRun implements Disposable {
  // Not one of Deno's own: those are closed by a thread, which takes longer than all the rest of an end.
  #file: Fd | undefined;
  #isRead = false;

  constructor(directory: string) {
    this.#file = openIfThere(`${directory}/run`, O_RDONLY | O_CLOEXEC); // there is none before the first run
  }

  /** How the run has ended, if it has and that was recorded. */
  exitCode(): number | undefined {
    if (this.#file === undefined) return undefined;
    const bytes = new Uint8Array(RUN_RECORD_SIZE);
    if (this.#isRead) seek(this.#file.number, 0);
    this.#isRead = true;
    const size = Math.max(0, read(this.#file.number, bytes));
    return decodeRunRecord(bytes.subarray(0, size))?.exit?.code;
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }
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
