/**
 * How many bytes a tree holds, as docker counts a layer: files, each inode once, and symbolic links.
 *
 * @module
 */
import {
  AT_FDCWD,
  close,
  lstatat,
  type Name,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  readNames,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "../../ffi/file.ts";

/** Adds up a directory and everything below. @throws {SyscallError} */
export function measureTree(path: string): number {
  return measureAt(AT_FDCWD, path, new Set());
}

function measureAt(dirFd: number, name: Name, seen: Set<bigint>): number {
  const fd = openat(dirFd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  let sum = 0;
  try {
    for (const child of readNames(fd)) {
      const stat = lstatat(fd, child);
      const type = (stat?.mode ?? 0) & S_IFMT;
      if (stat === undefined) continue;
      if (type === S_IFDIR) sum += measureAt(fd, child, seen);
      if (type !== S_IFREG && type !== S_IFLNK) continue;
      if (stat.nlink > 1) {
        if (seen.has(stat.inode)) continue;
        seen.add(stat.inode);
      }
      sum += stat.sizeBytes;
    }
  } finally {
    close(fd);
  }
  return sum;
}
