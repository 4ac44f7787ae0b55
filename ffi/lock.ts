/**
 * Open-file-description locks: owned by whoever shares the description, children included, and dropped by the kernel
 * when the last of them is gone. "Is it running" is "is it locked".
 *
 * @see fcntl(2), "Open file description locks"
 * @module
 */
import { F_OFD_GETLK, F_OFD_SETLK } from "./abi/constants.ts";
import { ERRNO, SyscallError } from "./errno.ts";
import type { Fd } from "./fd.ts";
import { errno, openLibc } from "./libc.ts";

const libc = openLibc({
  fcntl: {
    parameters: [/* fd */ "i32", /* cmd */ "i32", /* struct flock */ "buffer"],
    result: "i32",
  },
});

const F_RDLCK = 0, F_WRLCK = 1, F_UNLCK = 2;

/** `struct flock` of `<asm-generic/fcntl.h>`: type, whence, 4 bytes pad, start at 8, len at 16, pid at 24. 32 bytes. */
function flock(type: number, at: number): DataView<ArrayBuffer> {
  const lock = new DataView(new ArrayBuffer(32));
  lock.setInt16(0, type, true);
  lock.setBigInt64(8, BigInt(at), true);
  lock.setBigInt64(16, 1n, true);
  return lock;
}

/**
 * Takes the write lock on byte `at`, if nobody has it.
 *
 * @returns Whether it is taken now.
 */
export function tryLock(fd: Fd, at = 0): boolean {
  const lock = flock(F_WRLCK, at);
  if (libc.fcntl(fd.number, F_OFD_SETLK, new Uint8Array(lock.buffer)) === 0) return true;
  const code = errno();
  if (code === ERRNO.EAGAIN || code === ERRNO.EACCES) return false;
  throw new SyscallError("fcntl(F_OFD_SETLK)", code);
}

/** Gives the lock on byte `at` back, for all who share the description. */
export function unlock(fd: Fd, at = 0): void {
  libc.fcntl(fd.number, F_OFD_SETLK, new Uint8Array(flock(F_UNLCK, at).buffer));
}

/** Whether another open file description holds the write lock on byte `at`. Takes nothing, disturbs nobody. */
export function isLocked(fd: Fd, at = 0): boolean {
  const lock = flock(F_RDLCK, at);
  const bytes = new Uint8Array(lock.buffer);
  if (libc.fcntl(fd.number, F_OFD_GETLK, bytes) !== 0) {
    throw new SyscallError("fcntl(F_OFD_GETLK)", errno());
  }
  return lock.getInt16(0, true) !== F_UNLCK;
}
