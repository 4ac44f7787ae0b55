/**
 * Copies a directory's content with owners, modes, times and attributes, by plain system calls on this thread.
 *
 * @module
 */
import * as F from "../../ffi/file.ts";
import { lgetxattr, llistxattr, tryLsetxattr } from "../../ffi/xattr.ts";

const CHUNK = 1 << 20;
const encoder = new TextEncoder();

/**
 * Copies what is in the directory `from` into the directory `to`, which gets the owner, mode and times of `from` too.
 *
 * Both are open for reading. Symbolic links are copied, never followed; device nodes only where they may be made;
 * hard links become files of their own.
 *
 * @throws {SyscallError} for the first thing that cannot be copied; what was copied stays.
 */
export function copyTree(from: number, to: number): void {
  const buffer = new Uint8Array(CHUNK);
  copyDirectory(from, to, F.lstatat(from, "")!, buffer);
}

function copyDirectory(
  from: number,
  to: number,
  stat: F.Stat,
  buffer: Uint8Array<ArrayBuffer>,
): void {
  for (const name of F.readNames(from)) copyEntry(from, to, name, buffer);
  copyLooks(from, to, stat);
}

/** Gives the open directory `to` attributes, owner, mode and times of `from`. */
export function copyLooks(from: number, to: number, stat: F.Stat): void {
  copyAttributes(procPath(from, "."), procPath(to, "."));
  F.fchown(to, stat.uid, stat.gid);
  F.fchmod(to, stat.mode & 0o7777);
  F.futimens(to, timesOf(stat));
}

function copyEntry(
  from: number,
  to: number,
  name: Uint8Array<ArrayBuffer>,
  buffer: Uint8Array<ArrayBuffer>,
): void {
  const stat = F.lstatat(from, name);
  if (stat === undefined) return;
  switch (stat.mode & F.S_IFMT) {
    case F.S_IFDIR: {
      F.tryMkdirat(to, name, 0o700);
      const flags = F.O_RDONLY | F.O_DIRECTORY | F.O_NOFOLLOW;
      withFds(
        () => F.openat(from, name, flags),
        () => F.openat(to, name, flags),
        (source, target) => copyDirectory(source, target, stat, buffer),
      );
      return;
    }
    default:
      copyNode(from, to, name, stat, buffer);
  }
}

/** Copies what is no directory. @param stat What `name` in the directory `from` is. */
export function copyNode(
  from: number,
  to: number,
  name: Uint8Array<ArrayBuffer>,
  stat: F.Stat,
  buffer: Uint8Array<ArrayBuffer>,
): void {
  switch (stat.mode & F.S_IFMT) {
    case F.S_IFREG:
      withFds(
        () => F.openat(from, name, F.O_RDONLY | F.O_NOFOLLOW),
        () => F.openat(to, name, F.O_WRONLY | F.O_CREAT | F.O_EXCL, 0o600),
        (source, target) => {
          copyContent(source, target, stat.sizeBytes, buffer);
          F.fchown(target, stat.uid, stat.gid);
          F.fchmod(target, stat.mode & 0o7777);
          // After chown(2), which takes capabilities away.
          copyAttributes(procPath(from, name), procPath(to, name));
          F.futimens(target, timesOf(stat));
        },
      );
      return;
    case F.S_IFLNK:
      F.trySymlinkat(terminated(F.readlinkat(from, name)), to, name);
      F.lchownat(to, name, stat.uid, stat.gid);
      F.utimensat(to, name, timesOf(stat));
      return;
    default:
      // An ordinary user cannot make devices, and has none to lose in an image.
      if (F.tryMknodat(to, name, stat.mode, stat.rdev) < 0) return;
      F.lchownat(to, name, stat.uid, stat.gid);
      F.fchmodat(to, name, stat.mode & 0o7777);
      F.utimensat(to, name, timesOf(stat));
  }
}

function withFds(
  openSource: () => number,
  openTarget: () => number,
  use: (source: number, target: number) => void,
): void {
  const source = openSource();
  try {
    const target = openTarget();
    try {
      use(source, target);
    } finally {
      F.close(target);
    }
  } finally {
    F.close(source);
  }
}

/** Shares the blocks where the file system can; else copies what is no hole. */
function copyContent(
  source: number,
  target: number,
  sizeBytes: number,
  buffer: Uint8Array<ArrayBuffer>,
): void {
  if (F.tryClone(source, target)) return;
  let at = 0;
  for (let n = F.read(source, buffer); n > 0; n = F.read(source, buffer)) {
    const piece = buffer.subarray(0, n);
    if (!isZero(piece)) {
      F.seek(target, at);
      F.writeAll(target, piece);
    }
    at += n;
  }
  F.ftruncate(target, Math.max(at, sizeBytes));
}

function isZero(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0 || bytes.at(-1) !== 0) return false;
  return bytes.every((byte) => byte === 0);
}

/** All but the overlay's own; what the target's file system does not take is left out. */
function copyAttributes(from: Uint8Array<ArrayBuffer>, to: Uint8Array<ArrayBuffer>): void {
  for (const name of llistxattr(from)) {
    if (/^(user|trusted)\.(overlay|fuseoverlayfs)\./.test(name)) continue;
    const value = lgetxattr(from, name);
    if (value !== undefined) tryLsetxattr(to, name, value);
  }
}

/** A path to `name` in an open directory, for calls that take no descriptor. */
function procPath(directory: number, name: string | Uint8Array<ArrayBuffer>) {
  const start = encoder.encode(`/proc/self/fd/${directory}/`);
  const end = typeof name === "string" ? encoder.encode(`${name}\0`) : name;
  const path = new Uint8Array(start.length + end.length);
  path.set(start);
  path.set(end, start.length);
  return path;
}

function terminated(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length + 1);
  result.set(bytes);
  return result;
}

function timesOf({ mtime }: F.Stat): F.Timespecs {
  const nanoseconds = BigInt(mtime.nanoseconds);
  return new BigInt64Array([mtime.seconds, nanoseconds, mtime.seconds, nanoseconds]);
}
