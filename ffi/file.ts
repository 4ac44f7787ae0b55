/**
 * Files by directory descriptor: the *at(2) family, openat2(2) and what the layer unpacker and the store need.
 *
 * Every name may be a string or its bytes with a final NUL, since a file name in a layer need not be UTF-8.
 * Descriptors are plain numbers; whoever opens one closes it.
 *
 * @module
 */
import {
  AT_EMPTY_PATH,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  S_IFDIR,
  S_IFMT,
} from "./abi/constants.ts";
import { ERRNO, SyscallError } from "./errno.ts";
import { check, cString, errno, openLibc } from "./libc.ts";

/** A file name: a string, or bytes that end in NUL. */
export type Name = string | Uint8Array<ArrayBuffer>;

export {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "./abi/constants.ts";

const ARM = Deno.build.arch === "aarch64";
// <asm/unistd.h>; the C library has no wrapper for the first, and only newer ones for the second.
const SYS_openat2 = 437;
const SYS_mknodat = ARM ? 33 : 259;
const SYS_getdents64 = ARM ? 61 : 217;
// <linux/fs.h>
const FICLONE = 0x40049409n;

const libc = openLibc({
  /** (long number, ...) */
  syscall: { parameters: ["i64", "i64", "buffer", "i64", "i64"], result: "i64" },
  /** (int dirfd, const char *path, int flags, mode_t mode) */
  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  /** (int fd) */
  close: { parameters: ["i32"], result: "i32" },
  /** (int fd, const void *buf, size_t count) */
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  /** (int fd, void *buf, size_t count) */
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  /** (int fd, off_t offset, int whence) */
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  /** (int fd, unsigned long request, int argument) */
  ioctl: { parameters: ["i32", "u64", "i32"], result: "i32" },
  /** (int fd, off_t length) */
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  /** (int dirfd, const char *path, mode_t mode) */
  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  /** (const char *target, int dirfd, const char *path) */
  symlinkat: { parameters: ["buffer", "i32", "buffer"], result: "i32" },
  /** (int olddirfd, const char *old, int newdirfd, const char *new, int flags) */
  linkat: { parameters: ["i32", "buffer", "i32", "buffer", "i32"], result: "i32" },
  /** (int dirfd, const char *path, int flags) */
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  /** (int dirfd, const char *path, char *buf, size_t size) */
  readlinkat: { parameters: ["i32", "buffer", "buffer", "usize"], result: "isize" },
  /** (int fd, uid_t owner, gid_t group) */
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  /** (int dirfd, const char *path, uid_t owner, gid_t group, int flags) */
  fchownat: { parameters: ["i32", "buffer", "u32", "u32", "i32"], result: "i32" },
  /** (int fd, mode_t mode) */
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  /** (int dirfd, const char *path, mode_t mode, int flags) */
  fchmodat: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  /** (int fd, const struct timespec times[2]) */
  futimens: { parameters: ["i32", "buffer"], result: "i32" },
  /** (int dirfd, const char *path, const struct timespec times[2], int flags) */
  utimensat: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  /** (int dirfd, const char *path, int flags, unsigned mask, struct statx *buf) */
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
});

function bytesOf(name: Name): Uint8Array<ArrayBuffer> {
  return typeof name === "string" ? cString(name) : name;
}

const decoder = new TextDecoder();

/** A name for people: of an error message. */
function shown(name: Name): string {
  if (typeof name === "string") return name;
  return decoder.decode(name.at(-1) === 0 ? name.subarray(0, -1) : name);
}

function fail(syscall: string, name: Name): never {
  throw new SyscallError(syscall, errno(), shown(name));
}

/** Opens `name` relative to `dirFd`, as openat(2), with `O_CLOEXEC`. @throws {SyscallError} */
export function openat(dirFd: number, name: Name, flags: number, mode = 0): number {
  const fd = libc.openat(dirFd, bytesOf(name), flags | O_CLOEXEC, mode);
  return fd < 0 ? fail("openat", name) : fd;
}

/** As {@linkcode openat}, but answers a negative errno instead of throwing: for the caller that expects EEXIST. */
export function tryOpenat(dirFd: number, name: Name, flags: number, mode = 0): number {
  const fd = libc.openat(dirFd, bytesOf(name), flags | O_CLOEXEC, mode);
  return fd < 0 ? -errno() : fd;
}

const how = new BigUint64Array(3);
const howBytes = new Uint8Array(how.buffer);

/**
 * Opens `name` relative to `dirFd` with `RESOLVE_*` restrictions, as openat2(2), with `O_CLOEXEC`.
 *
 * @throws {SyscallError} `ENOSYS` before Linux 5.6.
 * @see https://man7.org/linux/man-pages/man2/openat2.2.html
 */
export function openat2(dirFd: number, name: Name, flags: number, resolve: number): number {
  const path = bytesOf(name);
  how[0] = BigInt(flags | O_CLOEXEC);
  how[1] = 0n;
  how[2] = BigInt(resolve);
  const at = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(howBytes)));
  for (;;) {
    const fd = Number(libc.syscall(BigInt(SYS_openat2), BigInt(dirFd), path, at, 24n));
    if (fd >= 0) return fd;
    // EAGAIN: a rename elsewhere raced with the walk; the man page says to try again.
    if (errno() !== ERRNO.EAGAIN) fail("openat2", name);
  }
}

/** Closes a descriptor; a failure has no cure and is not reported. */
export function close(fd: number): void {
  libc.close(fd);
}

/** Writes all of `bytes`. @throws {SyscallError} `ENOSPC`, `EDQUOT`, ... naming `subject`. */
export function writeAll(fd: number, bytes: Uint8Array<ArrayBuffer>, subject = ""): void {
  let rest = bytes;
  while (rest.length > 0) {
    const n = Number(libc.write(fd, rest, BigInt(rest.length)));
    if (n < 0) {
      if (errno() === ERRNO.EINTR) continue;
      throw new SyscallError("write", errno(), subject);
    }
    if (n === rest.length) return;
    rest = rest.subarray(n);
  }
}

/** Reads up to `buffer.length` bytes; 0 is the end of the file. @throws {SyscallError} */
export function read(fd: number, buffer: Uint8Array<ArrayBuffer>): number {
  for (;;) {
    const n = Number(libc.read(fd, buffer, BigInt(buffer.length)));
    if (n >= 0) return n;
    if (errno() !== ERRNO.EINTR) throw new SyscallError("read", errno());
  }
}

/** Moves to `offset` from the start. @throws {SyscallError} */
export function seek(fd: number, offset: number): void {
  check("lseek", libc.lseek(fd, BigInt(offset), 0));
}

/** Sets the length; what is beyond the old end is a hole. @throws {SyscallError} */
export function ftruncate(fd: number, length: number): void {
  check("ftruncate", libc.ftruncate(fd, BigInt(length)));
}

/** Makes `target` share the content of `source`, as ioctl(2) with `FICLONE`; false where the file system cannot. */
export function tryClone(source: number, target: number): boolean {
  return libc.ioctl(target, FICLONE, source) === 0;
}

/** Makes a directory; answers 0 or a negative errno. */
export function tryMkdirat(dirFd: number, name: Name, mode: number): number {
  return libc.mkdirat(dirFd, bytesOf(name), mode) < 0 ? -errno() : 0;
}

/** Removes an empty directory; answers 0 or a negative errno. */
export function tryRmdirat(dirFd: number, name: Name): number {
  return libc.unlinkat(dirFd, bytesOf(name), AT_REMOVEDIR) < 0 ? -errno() : 0;
}

/** Makes `name` a symbolic link to `target`; answers 0 or a negative errno. */
export function trySymlinkat(target: Name, dirFd: number, name: Name): number {
  return libc.symlinkat(bytesOf(target), dirFd, bytesOf(name)) < 0 ? -errno() : 0;
}

/** Makes a hard link, not following a symbolic link at `from`; answers 0 or a negative errno. */
export function tryLinkat(fromFd: number, from: Name, dirFd: number, name: Name): number {
  return libc.linkat(fromFd, bytesOf(from), dirFd, bytesOf(name), 0) < 0 ? -errno() : 0;
}

/** Makes a device node or fifo; answers 0 or a negative errno. @param mode With the `S_IF*` type. */
export function tryMknodat(
  dirFd: number,
  name: Name,
  mode: number,
  device: { major: number; minor: number } = { major: 0, minor: 0 },
): number {
  const { major, minor } = device;
  // new_encode_dev() of <linux/kdev_t.h>: what the kernel takes is 32 bits.
  const dev = ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
  const result = libc.syscall(
    BigInt(SYS_mknodat),
    BigInt(dirFd),
    bytesOf(name),
    BigInt(mode),
    BigInt(dev),
  );
  return result < 0n ? -errno() : 0;
}

/** Where a symbolic link points, as bytes without NUL. @throws {SyscallError} `EINVAL` if it is none. */
export function readlinkat(dirFd: number, name: Name): Uint8Array<ArrayBuffer> {
  const buffer = new Uint8Array(4096);
  const n = Number(libc.readlinkat(dirFd, bytesOf(name), buffer, 4096n));
  return n < 0 ? fail("readlinkat", name) : buffer.slice(0, n);
}

/** Keeps owners where the kernel cannot, since the user namespace has but one id. */
export interface OwnerKeeper {
  /** Notes the owner of `name`, or with "" of `dirFd` itself. @param stat What it is. */
  set(dirFd: number, name: Name, owner: { uid: number; gid: number }, stat: Stat): void;
  /** The owner noted; undefined if none was. */
  get(dirFd: number, name: Name, stat: Stat): { uid: number; gid: number } | undefined;
}

let ownerKeeper: OwnerKeeper | undefined;

/** From now on, in this thread, owners are changed and told by `keeper`. */
export function keepOwnersBy(keeper: OwnerKeeper): void {
  ownerKeeper = keeper;
}

/** @throws {SyscallError} `EINVAL` if an id has no place in the user namespace's mapping. */
export function fchown(fd: number, uid: number, gid: number, subject = ""): void {
  if (ownerKeeper !== undefined) return ownerKeeper.set(fd, "", { uid, gid }, statOf(fd, "")!);
  check("fchown", libc.fchown(fd, uid, gid), subject);
}

/** Changes the owner of `name` itself, not of what it links to. @throws {SyscallError} as {@linkcode fchown}. */
export function lchownat(dirFd: number, name: Name, uid: number, gid: number): void {
  if (ownerKeeper !== undefined) {
    const stat = statOf(dirFd, name) ?? fail("fchownat", name);
    return ownerKeeper.set(dirFd, name, { uid, gid }, stat);
  }
  if (libc.fchownat(dirFd, bytesOf(name), uid, gid, AT_SYMLINK_NOFOLLOW) < 0) {
    fail("fchownat", name);
  }
}

/** @throws {SyscallError} */
export function fchmod(fd: number, mode: number, subject = ""): void {
  check("fchmod", libc.fchmod(fd, mode), subject);
}

/** Follows symbolic links: the caller knows that `name` is none. @throws {SyscallError} */
export function fchmodat(dirFd: number, name: Name, mode: number): void {
  if (libc.fchmodat(dirFd, bytesOf(name), mode, 0) < 0) fail("fchmodat", name);
}

/** `struct timespec[2]`: access seconds and nanoseconds, then modification. Fill one and reuse it. */
export type Timespecs = BigInt64Array<ArrayBuffer>;

/** @throws {SyscallError} */
export function futimens(fd: number, times: Timespecs, subject = ""): void {
  check("futimens", libc.futimens(fd, new Uint8Array(times.buffer)), subject);
}

/** Sets the times of `name` itself, not of what it links to. @throws {SyscallError} */
export function utimensat(dirFd: number, name: Name, times: Timespecs): void {
  const bytes = new Uint8Array(times.buffer);
  if (libc.utimensat(dirFd, bytesOf(name), bytes, AT_SYMLINK_NOFOLLOW) < 0) fail("utimensat", name);
}

/** What statx(2) tells, as far as it is asked here. */
export interface Stat {
  /** With the `S_IF*` type. */
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  inode: bigint;
  sizeBytes: number;
  /** What it takes on the disk, as du(1) counts. */
  allocatedBytes: number;
  /** Unix seconds and the nanoseconds beyond. */
  mtime: { seconds: bigint; nanoseconds: number };
  /** When the inode was changed last, in Unix nanoseconds. */
  ctimeNs: bigint;
  rdev: { major: number; minor: number };
  dev: { major: number; minor: number };
}

const STATX_BASIC_STATS = 0x7ff;
const statxBuffer = new Uint8Array(256);
const statxView = new DataView(statxBuffer.buffer);

/**
 * What `name` itself is, without following a final symbolic link; "" is `dirFd` itself.
 *
 * @returns undefined if there is nothing of that name.
 * @throws {SyscallError} other than `ENOENT`.
 */
export function lstatat(dirFd: number, name: Name): Stat | undefined {
  const stat = statOf(dirFd, name);
  if (stat === undefined || ownerKeeper === undefined) return stat;
  return { ...stat, ...ownerKeeper.get(dirFd, name, stat) };
}

function statOf(dirFd: number, name: Name): Stat | undefined {
  const flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
  if (libc.statx(dirFd, bytesOf(name), flags, STATX_BASIC_STATS, statxBuffer) < 0) {
    if (errno() === ERRNO.ENOENT) return undefined;
    fail("statx", name);
  }
  const view = statxView; // struct statx, <linux/stat.h>
  return {
    mode: view.getUint16(28, true),
    nlink: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    inode: view.getBigUint64(32, true),
    sizeBytes: Number(view.getBigUint64(40, true)),
    allocatedBytes: Number(view.getBigUint64(48, true)) * 512,
    mtime: { seconds: view.getBigInt64(112, true), nanoseconds: view.getUint32(120, true) },
    ctimeNs: view.getBigInt64(96, true) * 1_000_000_000n + BigInt(view.getUint32(104, true)),
    rdev: { major: view.getUint32(128, true), minor: view.getUint32(132, true) },
    dev: { major: view.getUint32(136, true), minor: view.getUint32(140, true) },
  };
}

/** The names in a directory opened for reading, each with its final NUL, without `.` and `..`. @throws {SyscallError} */
export function readNames(dirFd: number): Uint8Array<ArrayBuffer>[] {
  const names: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(32768);
  const view = new DataView(buffer.buffer);
  check("lseek", libc.lseek(dirFd, 0n, 0));
  for (;;) {
    const n = check(
      "getdents64",
      libc.syscall(BigInt(SYS_getdents64), BigInt(dirFd), buffer, BigInt(buffer.length), 0n),
    );
    if (n === 0) return names;
    for (let at = 0; at < n;) {
      const length = view.getUint16(at + 16, true); // struct linux_dirent64: u64 ino, s64 off, u16 reclen, u8 type, name
      const end = buffer.indexOf(0, at + 19) + 1;
      const dot = buffer[at + 19] === 46 &&
        (end - at === 21 || (buffer[at + 20] === 46 && end - at === 22));
      if (!dot) names.push(buffer.slice(at + 19, end));
      at += length;
    }
  }
}

/**
 * Removes `name` and, if it is a directory, everything below; never follows a symbolic link. Nothing there is fine.
 *
 * @throws {SyscallError} for the first thing that cannot be removed.
 */
export function removeTreeAt(dirFd: number, name: Name): void {
  const path = bytesOf(name);
  if (libc.unlinkat(dirFd, path, 0) === 0) return;
  const code = errno();
  if (code === ERRNO.ENOENT) return;
  if (code !== ERRNO.EISDIR) {
    const stat = lstatat(dirFd, path);
    if (stat === undefined) return;
    if ((stat.mode & S_IFMT) !== S_IFDIR) throw new SyscallError("unlinkat", code, shown(name));
  }
  const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  let fd = tryOpenat(dirFd, path, flags);
  if (fd === -ERRNO.EACCES) {
    fchmodat(dirFd, path, 0o700); // as overlay's own work/work, which is mode 0
    fd = tryOpenat(dirFd, path, flags);
  }
  // ENOENT, here and below: somebody else removes the same tree.
  if (fd === -ERRNO.ENOENT) return;
  if (fd < 0) throw new SyscallError("openat", -fd, shown(name));
  try {
    for (const child of readNames(fd)) removeTreeAt(fd, child);
  } finally {
    close(fd);
  }
  if (libc.unlinkat(dirFd, path, AT_REMOVEDIR) < 0 && errno() !== ERRNO.ENOENT) {
    fail("unlinkat", name);
  }
}
