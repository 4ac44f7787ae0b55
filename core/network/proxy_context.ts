/**
 * What the parts of the proxy's program have in common.
 *
 * @module
 */
import { AF_INET, AF_INET6 } from "../../ffi/abi/constants.ts";
import type { Address, Label, ProgramBuilder, Value } from "../../ffi/program/builder.ts";
import { ipBytes } from "./ip_bytes.ts";

/** Marks what is sent for a client outside, so that answers come back to who sent it. */
export const PROXY_MARK = 1;

/** A socket that listens on the host, and where what comes in is to go. */
export interface ProxyListener {
  fd: number;
  protocol: "tcp" | "udp";
  /** Of the socket's address. */
  version: 4 | 6;
  /** The container's port. */
  port: number;
}

/** The container's own address, and its gateway's: that is who it sees where the client's cannot be kept. */
export interface ProxyTarget {
  address: string;
  gateway: string;
}

/** What a proxy needs. */
export interface ProxyPlan {
  listeners: readonly ProxyListener[];
  ipv4?: ProxyTarget;
  ipv6?: ProxyTarget;
  /** The container's namespaces, by descriptor. */
  userns: number;
  netns: number;
  /** The container's init. */
  pid: number;
  devNull: number;
}

/** What an event is about: the first word of what its data point to. */
export const KIND = { init: 1, tcp: 2, udp: 3, connection: 4, flow: 5 } as const;
/** An entry of the listeners' table: kind, descriptor, port in network order, version. */
export const LISTENER = { fd: 8, port: 16, version: 24, size: 32 } as const;

/** For {@linkcode ProxyContext.watch}. */
export const EPOLLIN = 1;

/** What the parts of the program share. */
export interface ProxyContext {
  readonly p: ProgramBuilder;
  readonly plan: ProxyPlan;
  readonly epoll: Value;
  /** Handles the next event. */
  readonly next: Label;
  /** Handles the next event after descriptors have become free. */
  readonly closed: Label;
  /** Where to go when a descriptor could not be had: the listeners are asked again later. */
  readonly stalled: Label;
  /** What the event is about. */
  readonly subject: Value;
  /** Asks to be told, once for each change, what can be done with `fd`. */
  watch(fd: Value | number, subject: Value | Address, how?: number): Value;
  /** The same for one that is watched: what can be done is told once more. */
  watchAgain(fd: Value, subject: Value, how?: number): void;
}

/** The `struct sockaddr_in` or `sockaddr_in6` of an address, port 0, in 32 bytes. */
export function encodeSockaddr(address: string): Uint8Array<ArrayBuffer> {
  const bytes = ipBytes(address);
  const sockaddr = new Uint8Array(32);
  sockaddr[0] = bytes.length === 4 ? AF_INET : AF_INET6;
  sockaddr.set(bytes, bytes.length === 4 ? 4 : 8);
  return sockaddr;
}

/** Lengths of socket addresses. */
export const SOCKADDR_SIZE = { 4: 16, 6: 28 } as const;
