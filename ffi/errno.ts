/**
 * Errno names and the error every failed system call becomes.
 *
 * @module
 */

/** Errno numbers by name, of `<asm-generic/errno.h>` (the same on x86_64 and aarch64). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  ENOTBLK: 15,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EOVERFLOW: 75,
  EILSEQ: 84,
  EUSERS: 87,
  ENOTSOCK: 88,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
  ESTALE: 116,
  EDQUOT: 122,
} as const;

const NAMES = new Map<number, string>(Object.entries(ERRNO).map(([name, nr]) => [nr, name]));

const TEXTS: Record<string, string> = {
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  ESRCH: "no such process",
  EIO: "input/output error",
  ENXIO: "no such device or address",
  E2BIG: "argument list too long",
  ENOEXEC: "exec format error",
  EBADF: "bad file descriptor",
  EAGAIN: "resource temporarily unavailable",
  ENOMEM: "cannot allocate memory",
  EACCES: "permission denied",
  EBUSY: "device or resource busy",
  EEXIST: "file exists",
  EXDEV: "invalid cross-device link",
  ENODEV: "no such device",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
  EINVAL: "invalid argument",
  ENFILE: "too many open files in system",
  EMFILE: "too many open files",
  ETXTBSY: "text file busy",
  EFBIG: "file too large",
  ENOSPC: "no space left on device",
  EROFS: "read-only file system",
  EMLINK: "too many links",
  EPIPE: "broken pipe",
  ENAMETOOLONG: "file name too long",
  ENOSYS: "function not implemented",
  ENOTEMPTY: "directory not empty",
  ELOOP: "too many levels of symbolic links",
  EUSERS: "too many users",
  EOPNOTSUPP: "operation not supported",
  ETIMEDOUT: "connection timed out",
  ECONNREFUSED: "connection refused",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EDQUOT: "disk quota exceeded",
};

/** `2` to `ENOENT`; an unknown number to `E<number>`. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

/** `ENOENT` to `no such file or directory`, in the words of strerror(3). */
export function errnoText(code: string): string {
  return TEXTS[code] ?? code;
}

/** A failed system call: which call, on what, and why. */
export class SyscallError extends Error {
  /** The call's name: `umount2`. */
  readonly syscall: string;
  /** The errno's name: `ENOENT`. */
  readonly code: string;
  /** The errno's number, positive. */
  readonly errno: number;
  /** What the call was made on, usually a path. */
  readonly subject: string;

  /**
   * @param syscall The call's name.
   * @param errno Positive errno.
   * @param subject What it was made on; may be empty.
   * @param message A better message than `CALL SUBJECT: CODE: text`.
   */
  constructor(syscall: string, errno: number, subject = "", message?: string) {
    const code = errnoName(errno);
    super(message ?? `${syscall}${subject && " " + subject}: ${code}: ${errnoText(code)}`);
    this.name = "SyscallError";
    this.syscall = syscall;
    this.code = code;
    this.errno = errno;
    this.subject = subject;
  }

  /** By name: a program may hold this class twice, once from the bundle and once from the sources. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "SyscallError";
  }
}
