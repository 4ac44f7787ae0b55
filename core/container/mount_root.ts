/**
 * Makes the root of a container that does not run, in a process inside the user namespace: for this thread alone, and
 * gone with the process.
 *
 * @module
 */
import { AT_FDCWD, O_DIRECTORY, O_PATH, openat } from "../../ffi/file.ts";
import { attachMount, cloneMount, detachMount, mount, unshareMounts } from "../../ffi/mount.ts";
import { DhowError } from "../errors.ts";

/** An overlay to be mounted. */
export interface OverlayRoot {
  kind: "overlay" | "fuse-overlayfs";
  /** What the names of `layers` are relative to: with short names many of them fit into one page. */
  base: string;
  /** Topmost first. */
  layers: string[];
  /** Absolute; without these it is for reading. */
  upper?: string;
  work?: string;
  /** An empty directory. */
  mountpoint: string;
}

/** Where the root of a container that does not run comes from. */
export type StoppedRoot = OverlayRoot | {
  kind: "directory";
  /** A whole copy. */
  path: string;
};

/**
 * Gives this thread mounts of its own with the root among them.
 *
 * @returns A descriptor of the root.
 * @throws {SyscallError} from mount(2); {DhowError} `unavailable` if fuse-overlayfs fails.
 */
export function mountRoot(root: StoppedRoot): number {
  unshareMounts();
  if (root.kind === "directory") return openat(AT_FDCWD, root.path, O_PATH | O_DIRECTORY);
  Deno.chdir(root.base);
  if (root.kind === "overlay") {
    mount("overlay", root.mountpoint, {
      type: "overlay",
      data: `${overlayOptions(root)},userxattr`,
    });
  } else mountFuse(root);
  return openat(AT_FDCWD, root.mountpoint, O_PATH | O_DIRECTORY);
}

/** The options that both overlays know. */
function overlayOptions({ layers, upper, work }: OverlayRoot): string {
  const lower = `lowerdir=${layers.join(":")}`;
  return upper === undefined ? lower : `${lower},upperdir=${upper},workdir=${work}`;
}

/**
 * Mounts with fuse-overlayfs, which stays as a process of its own as long as somebody uses the mount: it sits in the
 * mount namespace that this thread leaves, where the mount is not any more.
 */
function mountFuse(root: OverlayRoot): void {
  const { success, stderr } = runFuse(["-o", overlayOptions(root), root.mountpoint]);
  if (!success) {
    const why = new TextDecoder().decode(stderr).trim();
    throw new DhowError("unavailable", `Cannot mount with fuse-overlayfs: ${why}`);
  }
  const clone = cloneMount(root.mountpoint);
  detachMount(root.mountpoint);
  unshareMounts();
  attachMount(clone, root.mountpoint);
}

function runFuse(args: string[]): { success: boolean; stderr: Uint8Array } {
  try {
    return new Deno.Command("fuse-overlayfs", { args, stdin: "null", stdout: "null" }).outputSync();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new DhowError(
      "unavailable",
      "Cannot mount with fuse-overlayfs: it is not installed; install the package fuse-overlayfs",
      { cause },
    );
  }
}
