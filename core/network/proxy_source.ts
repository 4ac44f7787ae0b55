/**
 * As whom the proxy speaks to the container: as the client, where an answer to the client's address can come back.
 *
 * @module
 */
import { AF_INET } from "../../ffi/abi/constants.ts";
import type { Address, Value } from "../../ffi/program/builder.ts";
import {
  encodeSockaddr,
  LISTENER,
  type ProxyContext,
  type ProxyTarget,
  SOCKADDR_SIZE,
} from "./proxy_context.ts";

/** Options of sockets made for others. */
export const SO_MARK = 36, SOL_IP = 0, IP_TRANSPARENT = 19;
/** The same for IPv6. */
export const SOL_IPV6 = 41, IPV6_TRANSPARENT = 75;

/** Addresses of socket addresses, and how long both are. */
export interface Aim {
  source: Value;
  target: Value;
  size: Value;
}

/**
 * Emits what finds out as whom to speak, and to which address, when something has come in from `peer` through the
 * listener that the event is about. Where the client's address cannot be kept it is the gateway.
 *
 * @param peer The client's address, 32 bytes; what of it is no address is overwritten.
 */
export function emitAim(context: ProxyContext, peer: Address, aim: Aim): void {
  const { p, plan: { ipv4, ipv6 }, subject } = context;
  const port = p.load("u64", subject, LISTENER.port);
  const done = p.label("aimed"),
    is4 = p.label("a client with IPv4"),
    is6 = p.label("a client with IPv6");
  const set = (to: ProxyTarget, from: Address, version: 4 | 6) => {
    const place = p.bytes(encodeSockaddr(to.address));
    p.store("u16", p.after(place, 2), port);
    p.set(aim.target, place);
    p.set(aim.source, from);
    p.set(aim.size, SOCKADDR_SIZE[version]);
  };
  const setGateway = (to: ProxyTarget, version: 4 | 6) =>
    set(to, p.bytes(encodeSockaddr(to.gateway)), version);

  p.jumpIf(p.load("u64", subject, LISTENER.version), "==", 6, is6);
  p.place(is4);
  if (ipv4 !== undefined) {
    set(ipv4, peer, 4);
    // What would be answered to the host's loopback interface stays in the container.
    p.jumpIf(p.load("u8", p.after(peer, 4)), "!=", 127, done);
    setGateway(ipv4, 4);
  } else if (ipv6 !== undefined) setGateway(ipv6, 6);
  p.jump(done);

  p.place(is6);
  // ::ffff:a.b.c.d, which a socket of both versions says, is a client with IPv4.
  const really6 = p.label("really IPv6");
  p.jumpIf(p.load("u64", p.after(peer, 8)), "!=", 0, really6);
  p.jumpIf(p.load("u32", p.after(peer, 16)), "!=", 0xffff0000, really6);
  p.store("u16", peer, AF_INET);
  p.store("u32", p.after(peer, 4), p.load("u32", p.after(peer, 20)));
  for (const at of [8, 16, 24]) p.store("u64", p.after(peer, at), 0);
  p.jump(is4);
  p.place(really6);
  if (ipv6 !== undefined) {
    const gateway = p.label("from the gateway");
    p.store("u32", p.after(peer, 4), 0);
    p.store("u32", p.after(peer, 24), 0);
    set(ipv6, peer, 6);
    const linkLocal = p.compute(p.load("u16", p.after(peer, 8)), "&", 0xc0ff);
    p.jumpIf(linkLocal, "==", 0x80fe, gateway);
    p.jumpIf(p.load("u64", p.after(peer, 8)), "!=", 0, done);
    p.jumpIf(p.load("u64", p.after(peer, 16)), "!=", 1n << 56n, done); // ::1
    p.place(gateway);
    setGateway(ipv6, 6);
  } else if (ipv4 !== undefined) setGateway(ipv4, 4);
  p.place(done);
}
