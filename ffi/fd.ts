/**
 * File descriptors as such: pipes, reads, writes, polling, owning and closing them.
 *
 * @module
 */
import { AT_FDCWD, F_SETPIPE_SZ, O_CLOEXEC } from "./abi/constants.ts";
import { ERRNO, SyscallError } from "./errno.ts";
import { check, cString, errno, openLibc } from "./libc.ts";

const libc = openLibc({
  pipe2: { parameters: [/* int[2] */ "buffer", /* flags */ "i32"], result: "i32" },
  close: { parameters: [/* fd */ "i32"], result: "i32" },
  openat: {
    parameters: [/* dirfd */ "i32", /* path */ "buffer", /* flags */ "i32", /* mode */ "u32"],
    result: "i32",
  },
  read: { parameters: [/* fd */ "i32", /* buf */ "buffer", /* count */ "usize"], result: "isize" },
  write: { parameters: [/* fd */ "i32", /* buf */ "buffer", /* count */ "usize"], result: "isize" },
  poll: {
    parameters: [/* fds */ "buffer", /* nfds */ "usize", /* timeout ms */ "i32"],
    result: "i32",
  },
  poll_async: {
    name: "poll",
    parameters: [/* fds */ "buffer", /* nfds */ "usize", /* timeout ms */ "i32"],
    result: "i32",
    nonblocking: true,
  },
  fcntl: { parameters: [/* fd */ "i32", /* cmd */ "i32", /* arg */ "isize"], result: "i32" },
  eventfd: { parameters: [/* initval */ "u32", /* flags */ "i32"], result: "i32" },
});

/** An open file descriptor that is closed when disposed, once. */
export class Fd implements Disposable {
  #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The number. @throws {TypeError} After closing. */
  get number(): number {
    if (this.#fd < 0) throw new TypeError("Cannot use a closed file descriptor");
    return this.#fd;
  }

  get isOpen(): boolean {
    return this.#fd >= 0;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) libc.close(this.#fd);
    this.#fd = -1;
  }

  close(): void {
    this[Symbol.dispose]();
  }
}

/** A pipe, close-on-exec on both ends. */
export function pipe(flags = 0): { read: Fd; write: Fd } {
  const fds = new Int32Array(2);
  check("pipe2", libc.pipe2(fds, O_CLOEXEC | flags));
  return { read: new Fd(fds[0]!), write: new Fd(fds[1]!) };
}

/** Asks for a pipe buffer of `bytes`; the kernel may refuse, which changes nothing but speed. */
export function widenPipe(fd: Fd, bytes: number): void {
  libc.fcntl(fd.number, F_SETPIPE_SZ, BigInt(bytes));
}

/**
 * Opens `path`, close-on-exec.
 *
 * @param flags Bit set of `O_*`.
 * @param mode Permissions of a new file, before the umask.
 */
export function open(path: string, flags: number, mode = 0o600): Fd {
  return new Fd(check("open", libc.openat(AT_FDCWD, cString(path), flags | O_CLOEXEC, mode), path));
}

/** {@linkcode open}, but answers undefined for `ENOENT`, `ENXIO` and `ESRCH`. */
export function openIfThere(path: string, flags: number): Fd | undefined {
  const fd = libc.openat(AT_FDCWD, cString(path), flags | O_CLOEXEC, 0);
  if (fd >= 0) return new Fd(fd);
  const code = errno();
  if (code === ERRNO.ENOENT || code === ERRNO.ENXIO || code === ERRNO.ESRCH) return undefined;
  throw new SyscallError("open", code, path);
}

/** Closes a bare descriptor number. */
export function close(fd: number): void {
  libc.close(fd);
}

/** read(2): the bytes read; 0 at the end, -1 where a non-blocking descriptor has nothing now. */
export function read(fd: number, buffer: Uint8Array<ArrayBuffer>): number {
  for (;;) {
    const n = Number(libc.read(fd, buffer, BigInt(buffer.length)));
    if (n >= 0) return n;
    const code = errno();
    if (code === ERRNO.EAGAIN) return -1;
    if (code !== ERRNO.EINTR) throw new SyscallError("read", code, `fd ${fd}`);
  }
}

/** write(2): the bytes written, perhaps fewer; -1 where a non-blocking descriptor takes nothing now. */
export function write(fd: number, bytes: Uint8Array<ArrayBuffer>): number {
  for (;;) {
    const n = Number(libc.write(fd, bytes, BigInt(bytes.length)));
    if (n >= 0) return n;
    const code = errno();
    if (code === ERRNO.EAGAIN) return -1;
    if (code !== ERRNO.EINTR) throw new SyscallError("write", code, `fd ${fd}`);
  }
}

/** One descriptor to wait for. */
export interface PollEntry {
  fd: number;
  /** Bit set of `POLL*`. */
  events: number;
}

function pollSet(entries: readonly PollEntry[]): DataView<ArrayBuffer> {
  const set = new DataView(new ArrayBuffer(8 * entries.length));
  entries.forEach(({ fd, events }, i) => {
    set.setInt32(8 * i, fd, true);
    set.setInt16(8 * i + 4, events, true);
  });
  return set;
}

/** Waits on this thread until a descriptor is ready. Returns the `revents` of each. */
export function poll(entries: readonly PollEntry[], timeoutMs = -1): number[] {
  const set = pollSet(entries);
  libc.poll(new Uint8Array(set.buffer), BigInt(entries.length), timeoutMs);
  return entries.map((_, i) => set.getInt16(8 * i + 6, true));
}

/** Waits on another thread until a descriptor is ready; the event loop goes on. Returns the `revents` of each. */
export async function pollAsync(entries: readonly PollEntry[], timeoutMs = -1): Promise<number[]> {
  const set = pollSet(entries);
  await libc.poll_async(new Uint8Array(set.buffer), BigInt(entries.length), timeoutMs);
  return entries.map((_, i) => set.getInt16(8 * i + 6, true));
}

/** An eventfd, to wake a poll from JavaScript: `write(fd, WAKE)`. */
export function eventfd(): Fd {
  return new Fd(check("eventfd", libc.eventfd(0, O_CLOEXEC | 0o4000)));
}

/** What to write to an eventfd to make it readable. */
export const WAKE = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);
