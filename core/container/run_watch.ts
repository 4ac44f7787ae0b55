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
  #file: Deno.FsFile | undefined;

  constructor(directory: string) {
    try {
      this.#file = Deno.openSync(`${directory}/run`);
    } catch { /* it has never run */ }
  }

  /** How the run has ended, if it has and that was recorded. */
  exitCode(): number | undefined {
    if (this.#file === undefined) return undefined;
    const bytes = new Uint8Array(RUN_RECORD_SIZE);
    this.#file.seekSync(0, Deno.SeekMode.Start);
    const size = this.#file.readSync(bytes) ?? 0;
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
