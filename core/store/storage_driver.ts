/**
 * How containers get a root of their own above an image's layers, from the best to the last resort:
 *
 * - `overlay`: the kernel's overlayfs, mounted in the user namespace (Linux 5.11);
 * - `fuse-overlayfs`: the same in a process, one a running container;
 * - `copy`: a copy of all layers for each container.
 *
 * Which of them works is measured when the store is first written to and kept in `storage.json`, for one kernel: reading
 * it is all that creating a container costs.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";

/** One of the three. */
export type StorageDriver = "overlay" | "fuse-overlayfs" | "copy";

/** What was measured. */
export interface StorageChoice {
  driver: StorageDriver;
  /** Release of the kernel it was measured on. */
  kernel: string;
  /** Why the better ones do not work, by their name. */
  obstacles: Partial<Record<StorageDriver, string>>;
}

/** What docker and podman call them, in `info` and `inspect`. */
export const STORAGE_DRIVER_NAMES: Readonly<Record<StorageDriver, string>> = {
  overlay: "overlay2",
  "fuse-overlayfs": "fuse-overlayfs",
  copy: "vfs",
};

/** Reads the name of a driver, docker's or ours. @throws {DhowError} `invalid_argument`. */
export function parseStorageDriver(text: string): StorageDriver {
  for (const [driver, name] of Object.entries(STORAGE_DRIVER_NAMES)) {
    if (text === driver || text === name) return driver as StorageDriver;
  }
  throw new DhowError(
    "invalid_argument",
    `invalid storage driver "${text}": it must be overlay, fuse-overlayfs or copy`,
  );
}

/** What `--storage-driver` or `$DHOW_STORAGE_DRIVER` asks for. @throws {DhowError} `invalid_argument`. */
export function forcedStorageDriver(): StorageDriver | undefined {
  const text = Deno.env.get("DHOW_STORAGE_DRIVER");
  return text ? parseStorageDriver(text) : undefined;
}

/** What was measured on this kernel; undefined if nothing was. */
export function readStorageChoice(paths: StorePaths): StorageChoice | undefined {
  try {
    const choice: StorageChoice = JSON.parse(Deno.readTextFileSync(fileOf(paths)));
    return choice.kernel === Deno.osRelease() ? choice : undefined;
  } catch {
    return undefined; // not there, or cut short by a power cut
  }
}

/** Keeps what was measured. */
export function writeStorageChoice(paths: StorePaths, choice: StorageChoice): void {
  const temporary = `${fileOf(paths)}.${crypto.randomUUID()}`;
  Deno.writeTextFileSync(temporary, JSON.stringify(choice), { mode: 0o600 });
  Deno.renameSync(temporary, fileOf(paths));
}

function fileOf(paths: StorePaths): string {
  return `${paths.root}/storage.json`;
}
