/**
 * What a failed call means for the member of an archive that it was made for.
 *
 * @module
 */
import { errnoText, SyscallError } from "../../ffi/errno.ts";
import { DhowError } from "../errors.ts";
import { splitPath } from "./root_directory.ts";
import type { TarEntry } from "./tar_entry.ts";

/**
 * Says what `error`, met while `entry` was unpacked into `root`, means.
 *
 * @returns A {@linkcode DhowError} for a {@linkcode SyscallError}, and anything else as it is.
 */
export function explainFailure(error: unknown, entry: TarEntry, root: string): unknown {
  if (!(error instanceof SyscallError)) return error;
  const { code } = error;
  const what = `Cannot unpack "${entry.path}"`;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new DhowError(
      "no_space",
      `${what} into "${root}": ${errnoText(code)} (file system mounted at "${mountPointOf(root)}")`,
      { cause: error },
    );
  }
  if (code === "EINVAL" && (error.syscall === "fchown" || error.syscall === "fchownat")) {
    return noPlaceFor(entry, error);
  }
  if (code === "ENOENT" && entry.kind === "hardlink") {
    return new DhowError(
      "invalid_layer",
      `${what}: it is a hard link to "${entry.linkPath}", which is not in this layer`,
      { cause: error },
    );
  }
  if (code === "EPERM" && error.syscall === "linkat") {
    const message = `${what}: it is a hard link to "${entry.linkPath}", which cannot be linked to`;
    return new DhowError("invalid_layer", message, { cause: error });
  }
  if (["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EEXIST", "EXDEV"].includes(code)) {
    return new DhowError("invalid_layer", `${what}: ${errnoText(code)}`, { cause: error });
  }
  return new DhowError("internal", `${what}: ${error.message}`, { cause: error });
}

/** The owner of `entry` is none that the user namespace has. */
export function noPlaceFor({ path, uid, gid }: TarEntry, cause?: unknown): DhowError {
  return new DhowError(
    "unsupported",
    `Cannot unpack "${path}": its owner ${uid}:${gid} has no place in the user namespace; give this user more subordinate ids in /etc/subuid and /etc/subgid`,
    { cause },
  );
}

/** The mount point a path is on: the highest directory above it with the same device. */
function mountPointOf(path: string): string {
  const device = Deno.lstatSync(path).dev;
  let at = path;
  while (at !== "/") {
    const { parent } = splitPath(at.slice(1));
    const above = parent === "" ? "/" : `/${parent}`;
    if (Deno.lstatSync(above).dev !== device) return at;
    at = above;
  }
  return at;
}
