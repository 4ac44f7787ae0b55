/**
 * Asking the kernel whether it would let us.
 *
 * @see man 2 access
 * @module
 */
import { cString, openLibc } from "./libc.ts";

const libc = openLibc({
  /** (int dirfd, const char *path, int mode, int flags) */
  faccessat: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
});

const AT_FDCWD = -100, AT_EACCESS = 0x200, W_OK = 2;

/** Whether this process, as it is, may write to what is at `path`. */
export function isWritable(path: string): boolean {
  return libc.faccessat(AT_FDCWD, cString(path), W_OK, AT_EACCESS) === 0;
}
