/**
 * Locks by name between processes, each a file that is there as long as somebody needs it.
 *
 * A file that may be renamed or removed while others wait for its lock: who gets the lock looks whether the name still
 * leads to the file that was locked, and begins again otherwise.
 *
 * @module
 */
import { removeIfThere } from "../host/remove_if_there.ts";
import { sleep } from "../host/sleep.ts";

/** How to wait. */
export interface LockOptions {
  signal?: AbortSignal | undefined;
  /** Told once if somebody else has the lock. */
  onWait?: (() => void) | undefined;
}

/** How often to ask. Waiting in the kernel could not be given up. */
const POLL_MS = 25;

/** Begins the names of lock files in `tmp/`; the sweep takes those that a killed process left. */
export const LOCK_PREFIX = "lock-";

/**
 * Opens `path` for reading and writing, made if it is missing, and locks it for this process alone. The kernel drops the
 * lock with the file, and with the process.
 *
 * @throws the signal's reason.
 */
export async function openLocked(path: string, options: LockOptions = {}): Promise<Deno.FsFile> {
  const { signal, onWait } = options;
  for (let hasWaited = false;;) {
    signal?.throwIfAborted();
    const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
    try {
      while (!file.tryLockSync(true)) {
        if (!hasWaited) onWait?.();
        hasWaited = true;
        await sleep(POLL_MS);
        signal?.throwIfAborted();
      }
      if (inodeOf(path) === file.statSync().ino) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
}

/** Takes the lock `path`; disposing gives it back and removes the file. */
export async function lockPath(path: string, options: LockOptions = {}): Promise<Disposable> {
  const file = await openLocked(path, options);
  return {
    [Symbol.dispose]() {
      removeIfThere(path);
      file.close();
    },
  };
}

function inodeOf(path: string): number | null | undefined {
  try {
    return Deno.lstatSync(path).ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
