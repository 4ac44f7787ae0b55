/**
 * Datagrams and connections on bare descriptors, none of which waits.
 *
 * @module
 */
import {
  AF_INET,
  AF_INET6,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from "./abi/constants.ts";
import { ERRNO, SyscallError } from "./errno.ts";
import { Fd } from "./fd.ts";
import { encodeInetAddress, type InetAddress } from "./inet_socket.ts";
import { errno, openLibc } from "./libc.ts";

const libc = openLibc({
  socket: {
    parameters: [/* domain */ "i32", /* type */ "i32", /* protocol */ "i32"],
    result: "i32",
  },
  connect: {
    parameters: [/* fd */ "i32", /* sockaddr */ "buffer", /* length */ "u32"],
    result: "i32",
  },
  accept4: {
    parameters: [/* fd */ "i32", /* sockaddr */ "buffer", /* length */ "buffer", /* flags */ "i32"],
    result: "i32",
  },
  recvfrom: {
    parameters: [
      /* fd */ "i32",
      /* buf */ "buffer",
      /* len */ "usize",
      /* flags */ "i32",
      /* sockaddr */ "buffer",
      /* length */ "buffer",
    ],
    result: "isize",
  },
  sendto: {
    parameters: [
      /* fd */ "i32",
      /* buf */ "buffer",
      /* len */ "usize",
      /* flags */ "i32",
      /* sockaddr */ "buffer",
      /* length */ "u32",
    ],
    result: "isize",
  },
});

const SOCKADDR_SIZE = 28;

/** Where something came from: the bytes of its `struct sockaddr`, to be answered to. */
export type Peer = Uint8Array<ArrayBuffer>;

/** The address in a peer: 4 or 16 bytes. */
export function peerAddress(peer: Peer): Uint8Array {
  return peer[0] === AF_INET ? peer.slice(4, 8) : peer.slice(8, 24);
}

function room(): { peer: Peer; length: Uint8Array<ArrayBuffer> } {
  const length = new Uint8Array(new Uint32Array([SOCKADDR_SIZE]).buffer);
  return { peer: new Uint8Array(SOCKADDR_SIZE), length };
}

function sizeOf(length: Uint8Array<ArrayBuffer>): number {
  return new DataView(length.buffer).getUint32(0, true);
}

/** The next datagram, in `buffer`; undefined if there is none now. An error of an earlier one counts as an empty one. */
export function receiveFrom(
  fd: number,
  buffer: Uint8Array<ArrayBuffer>,
): { size: number; peer: Peer } | undefined {
  const { peer, length } = room();
  const size = Number(libc.recvfrom(fd, buffer, BigInt(buffer.length), 0x40, peer, length));
  if (size >= 0) return { size, peer: peer.slice(0, sizeOf(length)) };
  return errno() === ERRNO.EAGAIN ? undefined : { size: 0, peer };
}

/** Sends a datagram, or drops it. */
export function sendTo(fd: number, bytes: Uint8Array<ArrayBuffer>, peer?: Peer): void {
  const to = peer ?? new Uint8Array();
  libc.sendto(fd, bytes, BigInt(bytes.length), 0x40 | MSG_NOSIGNAL, to, to.length);
}

/** A datagram socket that speaks with one other only; undefined if there is no way there. */
export function connectDatagram(to: InetAddress): Fd | undefined {
  const family = to.address.length === 4 ? AF_INET : AF_INET6;
  const number = libc.socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (number < 0) return undefined;
  const fd = new Fd(number);
  const sockaddr = encodeInetAddress(to);
  if (libc.connect(number, sockaddr, sockaddr.length) === 0) return fd;
  fd.close();
  return undefined;
}

/** The next connection; undefined if there is none now. @throws {SyscallError} If no more can be had. */
export function acceptFrom(fd: number): { fd: Fd; peer: Peer } | undefined {
  const { peer, length } = room();
  const number = libc.accept4(fd, peer, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (number >= 0) return { fd: new Fd(number), peer: peer.slice(0, sizeOf(length)) };
  const code = errno();
  if (code === ERRNO.EAGAIN || code === ERRNO.ECONNABORTED) return undefined;
  throw new SyscallError("accept4", code);
}
