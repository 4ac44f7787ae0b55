/**
 * Extended attributes, of a descriptor or of a path without following a final symbolic link.
 *
 * A name below a directory descriptor is reached as `/proc/self/fd/N/name`: the kernel has no setxattrat(2) before 6.13.
 *
 * @module
 */
import { ERRNO } from "./errno.ts";
import { check, cString, errno, openLibc } from "./libc.ts";

const libc = openLibc({
  /** (const char *path, const char *name, const void *value, size_t size, int flags) */
  lsetxattr: { parameters: ["buffer", "buffer", "buffer", "usize", "i32"], result: "i32" },
  /** (int fd, const char *name, const void *value, size_t size, int flags) */
  fsetxattr: { parameters: ["i32", "buffer", "buffer", "usize", "i32"], result: "i32" },
  /** (const char *path, const char *name, void *value, size_t size) */
  lgetxattr: { parameters: ["buffer", "buffer", "buffer", "usize"], result: "isize" },
  /** (const char *path, char *list, size_t size) */
  llistxattr: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  /** (int fd, const char *name, void *value, size_t size) */
  fgetxattr: { parameters: ["i32", "buffer", "buffer", "usize"], result: "isize" },
  /** (int fd, char *list, size_t size) */
  flistxattr: { parameters: ["i32", "buffer", "usize"], result: "isize" },
});

/** The largest value the VFS takes: XATTR_SIZE_MAX of <linux/limits.h>. */
export const XATTR_SIZE_MAX = 65536;

/** A path as a string, or as bytes that end in NUL. */
export type XattrPath = string | Uint8Array<ArrayBuffer>;

function bytesOf(path: XattrPath): Uint8Array<ArrayBuffer> {
  return typeof path === "string" ? cString(path) : path;
}

/** Sets an attribute of `path` itself; answers 0 or a negative errno. */
export function tryLsetxattr(
  path: XattrPath,
  name: string,
  value: Uint8Array<ArrayBuffer>,
): number {
  const size = BigInt(value.length);
  return libc.lsetxattr(bytesOf(path), cString(name), value, size, 0) < 0 ? -errno() : 0;
}

/** Sets an attribute of an open file; answers 0 or a negative errno. */
export function tryFsetxattr(fd: number, name: string, value: Uint8Array<ArrayBuffer>): number {
  return libc.fsetxattr(fd, cString(name), value, BigInt(value.length), 0) < 0 ? -errno() : 0;
}

// Every call ends before the next begins.
const buffer = new Uint8Array(XATTR_SIZE_MAX);
const bufferSize = BigInt(XATTR_SIZE_MAX);

/** An attribute of `path` itself; undefined if it has none of that name or the file system knows no attributes. @throws {SyscallError} */
export function lgetxattr(path: XattrPath, name: string): Uint8Array<ArrayBuffer> | undefined {
  const n = libc.lgetxattr(bytesOf(path), cString(name), buffer, bufferSize);
  return valueOf("lgetxattr", n, name);
}

/** As {@linkcode lgetxattr}, of an open file. @throws {SyscallError} */
export function fgetxattr(fd: number, name: string): Uint8Array<ArrayBuffer> | undefined {
  return valueOf("fgetxattr", libc.fgetxattr(fd, cString(name), buffer, bufferSize), name);
}

function valueOf(call: string, n: bigint, name: string): Uint8Array<ArrayBuffer> | undefined {
  if (n < 0n && (errno() === ERRNO.ENODATA || errno() === ERRNO.EOPNOTSUPP)) return undefined;
  return buffer.slice(0, check(call, n, name));
}

/** The names of the attributes of `path` itself, in the file system's order. @throws {SyscallError} */
export function llistxattr(path: XattrPath): string[] {
  return namesOf("llistxattr", libc.llistxattr(bytesOf(path), buffer, bufferSize));
}

/** As {@linkcode llistxattr}, of an open file. @throws {SyscallError} */
export function flistxattr(fd: number): string[] {
  return namesOf("flistxattr", libc.flistxattr(fd, buffer, bufferSize));
}

function namesOf(call: string, n: bigint): string[] {
  if (n === 0n || n < 0n && errno() === ERRNO.EOPNOTSUPP) return [];
  const length = check(call, n);
  return new TextDecoder().decode(buffer.subarray(0, length)).split("\0").slice(0, -1);
}
