/**
 * What trees take on the disk, counted as du(1) counts.
 *
 * @module
 */
import * as F from "../../ffi/file.ts";
import { decodeName } from "../lib/file_name.ts";

/** A directory's usage, and that of each thing in it. */
export interface DirectoryUsage {
  /** Everything, the directory itself included. */
  bytes: number;
  /** By name. */
  children: Record<string, number>;
}

/**
 * Adds up what a directory and all in it take; each inode counts once, for the first name it is met by. One that is not
 * there takes nothing.
 *
 * @throws {SyscallError}
 */
export function directoryUsage(path: string): DirectoryUsage {
  const stat = F.lstatat(F.AT_FDCWD, path);
  const usage: DirectoryUsage = { bytes: stat?.allocatedBytes ?? 0, children: {} };
  if (stat === undefined) return usage;
  const seen = new Set<string>();
  const fd = F.openat(F.AT_FDCWD, path, F.O_RDONLY | F.O_DIRECTORY);
  try {
    for (const file of F.readNames(fd)) {
      const bytes = usageAt(fd, file, seen);
      usage.children[decodeName(file.subarray(0, -1))] = bytes;
      usage.bytes += bytes;
    }
  } finally {
    F.close(fd);
  }
  return usage;
}

function usageAt(dirFd: number, file: F.Name, seen: Set<string>): number {
  const stat = F.lstatat(dirFd, file);
  if (stat === undefined) return 0;
  if ((stat.mode & F.S_IFMT) !== F.S_IFDIR) {
    if (stat.nlink > 1) {
      const key = `${stat.dev.major}:${stat.dev.minor}:${stat.inode}`;
      if (seen.has(key)) return 0;
      seen.add(key);
    }
    return stat.allocatedBytes;
  }
  const fd = F.tryOpenat(dirFd, file, F.O_RDONLY | F.O_DIRECTORY | F.O_NOFOLLOW);
  let bytes = stat.allocatedBytes;
  // Removed meanwhile; or overlayfs's own work directory, of mode 0 and empty.
  if (fd < 0) return bytes;
  try {
    for (const child of F.readNames(fd)) bytes += usageAt(fd, child, seen);
  } finally {
    F.close(fd);
  }
  return bytes;
}
