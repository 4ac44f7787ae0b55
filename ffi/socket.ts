/**
 * Unix sockets as far as they hand descriptors from process to process.
 *
 * @module
 */
import {
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOL_SOCKET,
} from "./abi/constants.ts";
import { Fd } from "./fd.ts";
import { check, errno, openLibc } from "./libc.ts";
import { ERRNO, SyscallError } from "./errno.ts";

const libc = openLibc({
  socket: {
    parameters: [/* domain */ "i32", /* type */ "i32", /* protocol */ "i32"],
    result: "i32",
  },
  socketpair: {
    parameters: [/* domain */ "i32", /* type */ "i32", /* protocol */ "i32", /* int[2] */ "buffer"],
    result: "i32",
  },
  bind: {
    parameters: [/* fd */ "i32", /* sockaddr */ "buffer", /* length */ "u32"],
    result: "i32",
  },
  connect: {
    parameters: [/* fd */ "i32", /* sockaddr */ "buffer", /* length */ "u32"],
    result: "i32",
  },
  sendmsg: {
    parameters: [/* fd */ "i32", /* msghdr */ "buffer", /* flags */ "i32"],
    result: "isize",
  },
  recvmsg: {
    parameters: [/* fd */ "i32", /* msghdr */ "buffer", /* flags */ "i32"],
    result: "isize",
  },
});

/** Size of a control message that carries one descriptor: cmsghdr of 16 bytes, an int, 4 bytes of padding. */
export const CMSG_ONE_FD_SIZE = 24;
/** Where the descriptor is in it. */
export const CMSG_FD_AT = 16;
/** `struct msghdr`: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48. */
export const MSGHDR_SIZE = 56;

/** A control message of one descriptor, for programs and `sendmsg()`: `struct cmsghdr` then the int. */
export function encodeFdMessage(fd = -1): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(CMSG_ONE_FD_SIZE));
  view.setBigUint64(0, 20n, true); // cmsg_len: header and one int
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  view.setInt32(CMSG_FD_AT, fd, true);
  return new Uint8Array(view.buffer);
}

function address(path: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length > 107) throw new SyscallError("bind", ERRNO.ENAMETOOLONG, path);
  const sockaddr = new Uint8Array(2 + bytes.length + 1);
  sockaddr[0] = AF_UNIX;
  sockaddr.set(bytes, 2);
  return sockaddr;
}

/** A new unix socket. @param type `SOCK_*`. */
export function unixSocket(type: number): Fd {
  return new Fd(check("socket", libc.socket(AF_UNIX, type | SOCK_CLOEXEC, 0)));
}

/** A pair of connected unix sockets. @param type `SOCK_*`. */
export function socketpair(type: number): [Fd, Fd] {
  const fds = new Int32Array(2);
  check("socketpair", libc.socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds));
  return [new Fd(fds[0]!), new Fd(fds[1]!)];
}

/** Binds a unix socket to a path of at most 107 bytes. */
export function bindUnix(socket: Fd, path: string): void {
  const at = address(path);
  check("bind", libc.bind(socket.number, at, at.length), path);
}

/** Connects to a path; false if nobody is there. */
export function connectUnix(socket: Fd, path: string): boolean {
  const at = address(path);
  if (libc.connect(socket.number, at, at.length) === 0) return true;
  const code = errno();
  if (code === ERRNO.ENOENT || code === ERRNO.ECONNREFUSED) return false;
  throw new SyscallError("connect", code, path);
}

interface Message {
  header: Uint8Array<ArrayBuffer>;
  /** Keeps what the header points to alive. */
  parts: Uint8Array<ArrayBuffer>[];
}

function message(data: Uint8Array<ArrayBuffer>, control?: Uint8Array<ArrayBuffer>): Message {
  const at = (bytes: Uint8Array<ArrayBuffer>) =>
    BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
  const iov = new BigUint64Array([at(data), BigInt(data.length)]);
  const header = new DataView(new ArrayBuffer(MSGHDR_SIZE));
  const iovBytes = new Uint8Array(iov.buffer);
  header.setBigUint64(16, at(iovBytes), true);
  header.setBigUint64(24, 1n, true);
  if (control !== undefined) {
    header.setBigUint64(32, at(control), true);
    header.setBigUint64(40, BigInt(control.length), true);
  }
  return {
    header: new Uint8Array(header.buffer),
    parts: [iovBytes, data, ...control ? [control] : []],
  };
}

/** Sends `data`, with a descriptor if given. @returns False if the other side is gone. */
export function sendWithFd(socket: Fd, data: Uint8Array<ArrayBuffer>, fd?: number): boolean {
  const control = fd === undefined ? undefined : encodeFdMessage(fd);
  const { header, parts } = message(data, control);
  const sent = Number(libc.sendmsg(socket.number, header, 0x4000));
  parts.length = 0;
  if (sent >= 0) return true;
  const code = errno();
  // A datagram socket that was refused is not connected any more, which the repeated call (libc.ts) then says.
  const gone: number[] = [ERRNO.EPIPE, ERRNO.ECONNRESET, ERRNO.ECONNREFUSED, ERRNO.ENOTCONN];
  if (gone.includes(code)) return false;
  throw new SyscallError("sendmsg", code);
}

/** Receives one message of one byte and the descriptor it carries, if any; undefined when the other side closed. */
export function receiveFd(socket: Fd): { byte: number; fd: Fd | undefined } | undefined {
  const data = new Uint8Array(1);
  const control = new Uint8Array(CMSG_ONE_FD_SIZE);
  const { header, parts } = message(data, control);
  const got = check("recvmsg", libc.recvmsg(socket.number, header, MSG_CMSG_CLOEXEC));
  parts.length = 0;
  if (got === 0) return undefined;
  const view = new DataView(control.buffer);
  const carries = view.getBigUint64(0, true) >= 20n && view.getInt32(12, true) === SCM_RIGHTS;
  return { byte: data[0]!, fd: carries ? new Fd(view.getInt32(CMSG_FD_AT, true)) : undefined };
}
