/**
 * Modes, times and extended attributes of what an archive's member has become.
 *
 * @module
 */
import { ERRNO, SyscallError } from "../../ffi/errno.ts";
import {
  AT_FDCWD,
  close,
  fchmod,
  fchmodat,
  lstatat,
  type Name,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openat,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
} from "../../ffi/file.ts";
import { tryFsetxattr, tryLsetxattr } from "../../ffi/xattr.ts";
import { encodeName } from "../lib/file_name.ts";
import type { TarEntry, TarTime } from "./tar_entry.ts";
import { isXattrKept } from "./xattr_policy.ts";

/** `/proc/self/fd`, if it was opened. */
let procFd = -1;

/** Keeps `/proc/self/fd` at hand, for who unpacks after changing the root to one without /proc. */
export function keepProcAtHand(): void {
  procFd = openat(AT_FDCWD, "/proc/self/fd", O_PATH | O_DIRECTORY);
}

/** chmod(2) of what `name` is, refusing a symbolic link: in a running container names may change under our hands. */
export function chmodItself(dirFd: number, name: Name, mode: number): void {
  const fd = openat(dirFd, name, O_PATH | O_NOFOLLOW);
  try {
    const stat = lstatat(fd, "");
    if (stat === undefined || (stat.mode & S_IFMT) === S_IFLNK) {
      throw new SyscallError("fchmodat", ERRNO.ELOOP, typeof name === "string" ? name : "");
    }
    if ((stat.mode & S_IFMT) === S_IFDIR) {
      // Without the detour over /proc, which is not there while `cp` works in a stopped container's root.
      const directory = openat(fd, ".", O_RDONLY | O_DIRECTORY);
      try {
        return fchmod(directory, mode);
      } finally {
        close(directory);
      }
    }
    if (procFd < 0) fchmodat(AT_FDCWD, `/proc/self/fd/${fd}`, mode);
    else fchmodat(procFd, String(fd), mode);
  } finally {
    close(fd);
  }
}

const times = new BigInt64Array(4);

/** A member's times as futimens(2) and utimensat(2) take them; good until the next call. */
export function timesOf(entry: TarEntry): BigInt64Array<ArrayBuffer> {
  const access: TarTime = entry.atime ?? entry.mtime;
  times[0] = BigInt(access.seconds);
  times[1] = BigInt(access.nanoseconds);
  times[2] = BigInt(entry.mtime.seconds);
  times[3] = BigInt(entry.mtime.nanoseconds);
  return times;
}

/**
 * Sets a member's attributes on the open file `fd`.
 *
 * @returns How many of them the file system or the kernel refused.
 */
export function setXattrs(entry: TarEntry, fd: number): number {
  if (entry.xattrs === undefined) return 0;
  return setEach(entry, entry.xattrs, (name, value) => tryFsetxattr(fd, name, value));
}

/** As {@linkcode setXattrs}, on what `name` is in the directory `dirFd`, be it a symbolic link. */
export function setXattrsAt(entry: TarEntry, dirFd: number, name: Name): number {
  if (entry.xattrs === undefined) return 0;
  if (entry.kind === "directory") {
    const fd = openat(dirFd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      return setXattrs(entry, fd);
    } finally {
      close(fd);
    }
  }
  const path = procPath(dirFd, name);
  return setEach(entry, entry.xattrs, (key, value) => tryLsetxattr(path, key, value));
}

function setEach(
  entry: TarEntry,
  xattrs: NonNullable<TarEntry["xattrs"]>,
  set: (name: string, value: Uint8Array<ArrayBuffer>) => number,
): number {
  let refused = 0;
  for (const [name, value] of xattrs) {
    if (!isXattrKept(name)) continue;
    const result = set(name, value);
    // As docker: an image must not fail to unpack for want of a decoration.
    if (result === -ERRNO.EOPNOTSUPP || result === -ERRNO.EPERM) refused++;
    else verify("setxattr", result, `${name} of ${entry.path}`);
  }
  return refused;
}

/** A name below a descriptor, for calls that have no *at form. */
export function procPath(dirFd: number, name: Name): Uint8Array<ArrayBuffer> {
  const prefix = new TextEncoder().encode(`/proc/self/fd/${dirFd}/`);
  const rest = typeof name === "string" ? encodeName(name) : name;
  const path = new Uint8Array(prefix.length + rest.length);
  path.set(prefix);
  path.set(rest, prefix.length);
  return path;
}

/** Throws for the result of a call that failed. */
export function verify(syscall: string, result: number, subject: string): void {
  if (result < 0) throw new SyscallError(syscall, -result, subject);
}
