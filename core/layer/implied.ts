/**
 * Directories that a layer uses but does not describe take their looks from the layer below: a `/tmp` that is only
 * implied must not become mode 755. containerd does the same; docker does not.
 *
 * @module
 */
import { SyscallError } from "../../ffi/errno.ts";
import { AT_FDCWD, close, fchmodat, lchownat, lstatat, utimensat } from "../../ffi/file.ts";
import { RootDirectory } from "./root_directory.ts";

/** What to give looks to, and from where. */
export interface AdoptRequest {
  /** The layer's directory. */
  into: string;
  /** As `UnpackSummary.impliedDirectories`. */
  directories: string[];
  /** The directories of the layers below, the nearest first. */
  lowers: string[];
}

/** Gives each directory owner, mode and times of the nearest one below that has it; the others stay as they are. */
export function adoptDirectories(request: AdoptRequest): void {
  using into = new RootDirectory(request.into);
  for (const lower of request.lowers) {
    using from = new RootDirectory(lower);
    request.directories = request.directories.filter((path) => !adopt(from, into, path));
  }
}

function adopt(from: RootDirectory, into: RootDirectory, path: string): boolean {
  const fromFd = tryOpen(from, path);
  if (fromFd === undefined) return false;
  const intoFd = tryOpen(into, path);
  try {
    if (intoFd === undefined) return true;
    const stat = lstatat(fromFd, "")!;
    const name = `/proc/self/fd/${intoFd}/.`;
    lchownat(AT_FDCWD, name, stat.uid, stat.gid);
    fchmodat(AT_FDCWD, name, stat.mode & 0o7777);
    const { seconds, nanoseconds } = stat.mtime;
    const time = [seconds, BigInt(nanoseconds)];
    utimensat(AT_FDCWD, name, BigInt64Array.from([...time, ...time]));
    return true;
  } finally {
    close(fromFd);
    if (intoFd !== undefined) close(intoFd);
  }
}

function tryOpen(root: RootDirectory, path: string): number | undefined {
  try {
    return root.openDirectory(path);
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}
