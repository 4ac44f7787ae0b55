/**
 * TCP and UDP sockets that listen, for those who are handed them; what Deno opens it keeps to itself.
 *
 * @see man 7 ip, man 7 ipv6
 * @module
 */
import {
  AF_INET,
  AF_INET6,
  O_NONBLOCK,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./abi/constants.ts";
import { Fd } from "./fd.ts";
import { check, errno, openLibc } from "./libc.ts";
import { SyscallError } from "./errno.ts";

const libc = openLibc({
  socket: {
    parameters: [/* domain */ "i32", /* type */ "i32", /* protocol */ "i32"],
    result: "i32",
  },
  bind: {
    parameters: [/* fd */ "i32", /* sockaddr */ "buffer", /* length */ "u32"],
    result: "i32",
  },
  listen: { parameters: [/* fd */ "i32", /* backlog */ "i32"], result: "i32" },
  getsockname: {
    parameters: [/* fd */ "i32", /* sockaddr */ "buffer", /* length */ "buffer"],
    result: "i32",
  },
  setsockopt: {
    parameters: [
      /* fd */ "i32",
      /* level */ "i32",
      /* option */ "i32",
      /* value */ "buffer",
      /* length */ "u32",
    ],
    result: "i32",
  },
});

const RECEIVE_BYTES = 4 << 20;
const SO_RCVBUF = 8, SO_REUSEADDR = 2, SO_KEEPALIVE = 9;
const SOL_IP = 0, IP_PKTINFO = 8;
const SOL_TCP = 6, TCP_NODELAY = 1;
const SOL_IPV6 = 41, IPV6_V6ONLY = 26, IPV6_RECVPKTINFO = 49;
const BACKLOG = 4096;

/** Where to listen. */
export interface InetAddress {
  /** 4 or 16 bytes. */
  address: Uint8Array;
  /** 0 lets the kernel choose one. */
  port: number;
  /** With the address `::`: IPv4 too, whose addresses read `::ffff:a.b.c.d`. @default false */
  isDual?: boolean;
}

/** `struct sockaddr_in` or `struct sockaddr_in6`. */
export function encodeInetAddress({ address, port }: InetAddress): Uint8Array<ArrayBuffer> {
  const isV4 = address.length === 4;
  const view = new DataView(new ArrayBuffer(isV4 ? 16 : 28));
  view.setUint16(0, isV4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  new Uint8Array(view.buffer).set(address, isV4 ? 4 : 8);
  return new Uint8Array(view.buffer);
}

/**
 * A socket that listens: for TCP ready to accept, for UDP telling the address that each datagram was sent to. It does not
 * block; connections inherit that they are kept alive and do not wait for more to send.
 *
 * @throws {SyscallError} `EADDRINUSE`, `EACCES` below the first port that ordinary users may have, `EADDRNOTAVAIL`,
 *   `EAFNOSUPPORT` without IPv6.
 */
export function listenInet(protocol: "tcp" | "udp", at: InetAddress): Fd {
  const isV4 = at.address.length === 4, isTcp = protocol === "tcp";
  const type = (isTcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | O_NONBLOCK;
  const fd = new Fd(check("socket", libc.socket(isV4 ? AF_INET : AF_INET6, type, 0)));
  try {
    if (!isV4) setOption(fd, SOL_IPV6, IPV6_V6ONLY, at.isDual ? 0 : 1);
    if (isTcp) {
      turnOn(fd, SOL_SOCKET, SO_REUSEADDR);
      turnOn(fd, SOL_SOCKET, SO_KEEPALIVE);
      turnOn(fd, SOL_TCP, TCP_NODELAY);
    } else {
      widen(fd);
      turnOn(fd, isV4 ? SOL_IP : SOL_IPV6, isV4 ? IP_PKTINFO : IPV6_RECVPKTINFO);
    }
    const sockaddr = encodeInetAddress(at);
    check("bind", libc.bind(fd.number, sockaddr, sockaddr.length));
    if (isTcp) check("listen", libc.listen(fd.number, BACKLOG));
    return fd;
  } catch (error) {
    fd.close();
    throw error;
  }
}

/** Room for bursts of datagrams; the kernel gives what it allows. */
function widen(fd: Fd): void {
  const value = new Uint8Array(new Int32Array([RECEIVE_BYTES]).buffer);
  libc.setsockopt(fd.number, SOL_SOCKET, SO_RCVBUF, value, 4);
}

function turnOn(fd: Fd, level: number, option: number): void {
  setOption(fd, level, option, 1);
}

function setOption(fd: Fd, level: number, option: number, value: number): void {
  const bytes = new Uint8Array(new Int32Array([value]).buffer);
  if (libc.setsockopt(fd.number, level, option, bytes, 4) === 0) return;
  throw new SyscallError("setsockopt", errno());
}

/** The port a socket is bound to. */
export function boundPort(socket: Fd): number {
  const sockaddr = new Uint8Array(28);
  const length = new Uint8Array(new Uint32Array([sockaddr.length]).buffer);
  check("getsockname", libc.getsockname(socket.number, sockaddr, length));
  return new DataView(sockaddr.buffer).getUint16(2);
}
