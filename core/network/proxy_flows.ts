/**
 * The proxy's UDP part: a socket inside the container for each client, forgotten when nothing has come through it for
 * a while.
 *
 * The container sees the client's address, and port where that is free. What it answers has the connection's mark
 * (`firewall.ts`), by which it comes back to the proxy.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { ERRNO } from "../../ffi/errno.ts";
import type { Address, Label, ProgramBuilder, Value } from "../../ffi/program/builder.ts";
import { EPOLLIN, KIND, LISTENER, PROXY_MARK, type ProxyContext } from "./proxy_context.ts";
import {
  emitAim,
  IP_TRANSPARENT,
  IPV6_TRANSPARENT,
  SO_MARK,
  SOL_IP,
  SOL_IPV6,
} from "./proxy_source.ts";

/**
 * A flow: its kind (0 while unused), the next of its bucket or the next unused one, the listener, the socket, when it was
 * last used in seconds; the client's address; the address it was sent to, as a control message.
 */
const FLOW = {
  next: 8,
  listener: 16,
  fd: 24,
  used: 32,
  client: 40,
  clientSize: 72,
  control: 80,
  size: 120,
} as const;
const CONTROL_SIZE = 40;
const MAX_FLOWS = 8192;
const BUCKETS = 1024;
/** Multiplies an address; of the product the topmost bits are the bucket. */
const HASH = 0x9e3779b97f4a7c15n;
/** Datagrams one listener or flow may move before others have their turn. */
const BURST = 64;
/** The largest there is. */
const DATAGRAM_SIZE = 65536;
/** As docker has it. */
const IDLE_SECONDS = 90;
const CLOCK_MONOTONIC_COARSE = 6;

/** Emits what happens to datagrams. */
export class DatagramFlows {
  /** How often old flows are looked for. */
  static readonly SWEEP_MS = 10_000;
  /** An event of a listening socket. */
  readonly receive: Label;
  /** An event of a flow's socket. */
  readonly answer: Label;
  readonly #context: ProxyContext;
  readonly #p: ProgramBuilder;
  readonly #table: Address;
  readonly #buckets: Address;
  readonly #buffer: Address;
  readonly #used: Value;
  readonly #free: Value;
  readonly #now: Address;
  readonly #flow: Value;
  readonly #client: Address;
  readonly #message: Address;
  readonly #iov: Address;
  readonly #control: Address;

  constructor(context: ProxyContext) {
    const { p } = context;
    this.#context = context;
    this.#p = p;
    this.receive = p.label("receive");
    this.answer = p.label("answer");
    this.#table = p.trailingBuffer(MAX_FLOWS * FLOW.size);
    this.#buckets = p.trailingBuffer(BUCKETS * 8);
    this.#buffer = p.trailingBuffer(DATAGRAM_SIZE);
    this.#used = p.variable(0);
    this.#free = p.variable(0);
    this.#now = p.words([0, 0]);
    this.#flow = p.variable(0);
    this.#client = p.words([0, 0, 0, 0]);
    this.#control = p.buffer(64);
    this.#iov = p.words([this.#buffer, DATAGRAM_SIZE]);
    this.#message = p.words([this.#client, 0, this.#iov, 1, this.#control, 0, 0]);
  }

  /** Closes flows that nothing has come through lately; looks at the clock each time, at the flows now and then. */
  emitSweep(): void {
    const p = this.#p;
    const over = p.label("swept"), again = p.label("each flow"), keep = p.label("keep it");
    const due = p.variable(0), at = p.variable(0), end = p.variable(0), oldest = p.variable(0);
    p.call("clock_gettime", [CLOCK_MONOTONIC_COARSE, this.#now]);
    const now = p.load("u64", this.#now);
    p.jumpIf(now, "<", due, over);
    p.set(due, p.compute(now, "+", DatagramFlows.SWEEP_MS / 1000));
    p.set(oldest, p.compute(now, "-", IDLE_SECONDS));
    p.set(at, this.#table);
    p.set(end, p.compute(at, "+", p.compute(this.#used, "*", FLOW.size)));
    p.place(again);
    p.jumpIf(at, "==", end, over);
    p.jumpIf(p.load("u64", at), "==", 0, keep);
    p.jumpIf(p.load("u64", at, FLOW.used), ">=", oldest, keep);
    this.#emitForget(at);
    p.place(keep);
    p.set(at, p.compute(at, "+", FLOW.size));
    p.jump(again);
    p.place(over);
  }

  /** Takes a flow out of its bucket. */
  #emitForget(flow: Value): void {
    const p = this.#p;
    const link = p.variable(0);
    p.call("close", [p.load("u64", flow, FLOW.fd)]);
    p.set(link, this.#emitBucket(flow, p.load("u64", flow, FLOW.listener), FLOW.client));
    const found = p.label("found"), search = p.here("search the bucket");
    const there = p.load("u64", link);
    p.jumpIf(there, "==", flow, found);
    p.set(link, p.compute(there, "+", FLOW.next));
    p.jump(search);
    p.place(found);
    p.store("u64", link, p.load("u64", flow, FLOW.next));
    p.store("u64", flow, 0);
    p.store("u64", flow, this.#free, FLOW.next);
    p.set(this.#free, flow);
  }

  /** The address of the bucket for the client whose address is at `place` + `offset`. */
  #emitBucket(place: Value | Address, listener: Value, offset: number): Value {
    const p = this.#p;
    const first = p.load("u64", place, offset);
    const sum = p.compute(first, "+", p.load("u64", place, offset + 8));
    const all = p.compute(sum, "+", p.load("u64", place, offset + 16));
    const hash = p.compute(p.compute(all, "+", listener), "*", HASH);
    const index = p.compute(hash, ">>", 64 - Math.log2(BUCKETS));
    return p.compute(this.#buckets, "+", p.compute(index, "<<", 3));
  }

  emit(): void {
    this.#emitReceive();
    this.#emitAnswer();
  }

  #emitReceive(): void {
    const p = this.#p;
    const { next, subject } = this.#context;
    const left = p.variable(0), bucket = p.variable(0);
    const again = p.label("next datagram"), search = p.label("search"), found = p.label("found");
    const other = p.label("not this one"), fresh = p.label("a fresh flow");
    const size = p.variable(0);
    p.place(this.receive);
    p.set(left, BURST);
    p.place(again);
    const listening = p.load("u64", subject, LISTENER.fd);
    for (const at of [8, 16]) p.store("u64", p.after(this.#client, at), 0);
    p.store("u64", this.#message, 28, 8);
    p.store("u64", this.#iov, DATAGRAM_SIZE, 8);
    p.store("u64", this.#message, CONTROL_SIZE, 40);
    p.store("u64", this.#control, 0);
    p.set(size, p.call("recvmsg", [listening, this.#message, C.MSG_DONTWAIT]));
    p.jumpIf(size, "==", -ERRNO.EAGAIN, next);
    const good = p.label("received");
    p.jumpIf(size, ">=", 0, good);
    this.#emitTurn(left, again, subject); // an error of something sent before
    p.place(good);
    p.store("u64", this.#iov, size, 8);

    p.set(bucket, this.#emitBucket(this.#client, subject, 0));
    p.set(this.#flow, p.load("u64", bucket));
    p.place(search);
    p.jumpIf(this.#flow, "==", 0, fresh);
    p.jumpIf(p.load("u64", this.#flow, FLOW.listener), "!=", subject, other);
    for (const at of [0, 8, 16]) {
      const known = p.load("u64", this.#flow, FLOW.client + at);
      p.jumpIf(known, "!=", p.load("u64", p.after(this.#client, at)), other);
    }
    p.jump(found);
    p.place(other);
    p.set(this.#flow, p.load("u64", this.#flow, FLOW.next));
    p.jump(search);

    p.place(fresh);
    const dropped = p.label("dropped");
    this.#emitFresh(bucket, subject, dropped);
    p.place(found);
    p.store("u64", this.#flow, p.load("u64", this.#now), FLOW.used);
    const inside = p.load("u64", this.#flow, FLOW.fd);
    const flags = C.MSG_DONTWAIT | C.MSG_NOSIGNAL;
    // A port nobody listens on is told with the next datagram, which is not to be lost for it.
    const sent = p.call("sendto", [inside, this.#buffer, size, flags, 0, 0]);
    p.jumpIf(sent, "!=", -ERRNO.ECONNREFUSED, dropped);
    p.call("sendto", [inside, this.#buffer, size, flags, 0, 0]);
    p.place(dropped);
    this.#emitTurn(left, again, subject);
  }

  /** Goes on with the next datagram; after a burst of them others have their turn. */
  #emitTurn(left: Value, again: Label, subject: Value): void {
    const p = this.#p;
    p.set(left, p.compute(left, "-", 1));
    p.jumpIf(left, "!=", 0, again);
    const fd = p.load("u64", subject, 8);
    // A flow keeps its descriptor further behind.
    const own = p.label("watched again");
    const known = p.variable(0);
    p.set(known, fd);
    p.jumpIf(p.load("u64", subject), "!=", KIND.flow, own);
    p.set(known, p.load("u64", subject, FLOW.fd));
    p.place(own);
    this.#context.watchAgain(known, subject, EPOLLIN);
    p.jump(this.#context.next);
  }

  #emitFresh(bucket: Value, listener: Value, dropped: Label): void {
    const p = this.#p;
    const fd = p.variable(0);
    const source = p.variable(0), target = p.variable(0), size = p.variable(0);
    const failed = p.label("not connected"), unused = p.label("unused"), there = p.label("flow");
    const made = p.label("made");
    const peer = p.words([0, 0, 0, 0]);
    for (let at = 0; at < 32; at += 8) {
      p.store("u64", p.after(peer, at), p.load("u64", p.after(this.#client, at)));
    }
    emitAim(this.#context, peer, { source, target, size });
    const type = C.SOCK_DGRAM | C.SOCK_CLOEXEC | C.SOCK_NONBLOCK;
    p.set(fd, p.call("socket", [p.load("u16", source), type, 0]));
    p.jumpIf(fd, "<", 0, dropped);
    this.#emitBind(fd, source, size);
    p.jumpIf(p.call("connect", [fd, target, size]), "<", 0, failed);
    p.set(this.#flow, this.#free);
    p.jumpIf(this.#flow, "==", 0, unused);
    p.set(this.#free, p.load("u64", this.#flow, FLOW.next));
    p.jump(there);
    p.place(failed);
    p.call("close", [fd]);
    p.jump(dropped);
    p.place(unused);
    p.jumpIf(this.#used, ">=", MAX_FLOWS, failed);
    p.set(this.#flow, p.compute(this.#table, "+", p.compute(this.#used, "*", FLOW.size)));
    p.set(this.#used, p.compute(this.#used, "+", 1));
    p.place(there);
    p.store("u64", this.#flow, KIND.flow);
    p.store("u64", this.#flow, p.load("u64", bucket), FLOW.next);
    p.store("u64", bucket, this.#flow);
    p.store("u64", this.#flow, listener, FLOW.listener);
    p.store("u64", this.#flow, fd, FLOW.fd);
    p.store("u64", this.#flow, p.load("u64", this.#message, 8), FLOW.clientSize);
    for (let at = 0; at < 32; at += 8) {
      p.store("u64", this.#flow, p.load("u64", p.after(this.#client, at)), FLOW.client + at);
    }
    this.#emitKeepControl();
    this.#context.watch(fd, this.#flow, EPOLLIN);
    p.place(made);
  }

  /** As the client; where the kernel does not let us, as ourselves. */
  #emitBind(fd: Value, source: Value, size: Value): void {
    const p = this.#p;
    const bound = p.label("bound");
    const on = p.words([1]), mark = p.words([PROXY_MARK]), noMark = p.words([0]);
    const { ipv4, ipv6 } = this.#context.plan;
    p.call("setsockopt", [fd, C.SOL_SOCKET, SO_MARK, mark, 4]);
    if (ipv4 !== undefined) p.call("setsockopt", [fd, SOL_IP, IP_TRANSPARENT, on, 4]);
    if (ipv6 !== undefined) p.call("setsockopt", [fd, SOL_IPV6, IPV6_TRANSPARENT, on, 4]);
    p.jumpIf(p.call("bind", [fd, source, size]), "==", 0, bound);
    p.store("u16", source, 0, 2); // another has that port of the client's
    p.jumpIf(p.call("bind", [fd, source, size]), "==", 0, bound);
    p.call("setsockopt", [fd, C.SOL_SOCKET, SO_MARK, noMark, 4]);
    p.place(bound);
  }

  /** Which of the host's addresses the client knows us by; not by which interface, as answers may leave by another. */
  #emitKeepControl(): void {
    const p = this.#p;
    const is6 = p.label("of IPv6"), copy = p.label("copy");
    p.jumpIf(p.load("u32", p.after(this.#control, 8)), "!=", SOL_IP, is6);
    p.store("u32", p.after(this.#control, 16), 0);
    p.jump(copy);
    p.place(is6);
    const none = p.label("no control message");
    p.jumpIf(p.load("u32", p.after(this.#control, 8)), "!=", SOL_IPV6, none);
    p.jumpIf(p.load("u32", p.after(this.#control, 24)), "!=", 0xffff0000, copy);
    p.store("u32", p.after(this.#control, 32), 0); // ::ffff:a.b.c.d
    p.place(copy);
    for (let at = 0; at < CONTROL_SIZE; at += 8) {
      p.store("u64", this.#flow, p.load("u64", p.after(this.#control, at)), FLOW.control + at);
    }
    p.place(none);
  }

  #emitAnswer(): void {
    const p = this.#p;
    const { next, subject } = this.#context;
    const left = p.variable(0), size = p.variable(0);
    const again = p.label("next answer");
    const iov = p.words([this.#buffer, 0]);
    const message = p.words([0, 0, iov, 1, 0, 0, 0]);
    p.place(this.answer);
    p.set(left, BURST);
    p.place(again);
    const fd = p.load("u64", subject, FLOW.fd);
    const flags = C.MSG_DONTWAIT;
    p.set(size, p.call("recvfrom", [fd, this.#buffer, DATAGRAM_SIZE, flags, 0, 0]));
    p.jumpIf(size, "==", -ERRNO.EAGAIN, next);
    const failed = p.label("refused");
    p.jumpIf(size, "<", 0, failed);
    p.store("u64", subject, p.load("u64", this.#now), FLOW.used);
    p.store("u64", iov, size, 8);
    p.store("u64", message, p.compute(subject, "+", FLOW.client));
    p.store("u64", message, p.load("u64", subject, FLOW.clientSize), 8);
    // 28 bytes with an IPv4 address, 36 with an IPv6 one; padded to eight.
    const control = p.compute(p.load("u64", subject, FLOW.control), "+", 7);
    p.store("u64", message, p.compute(subject, "+", FLOW.control), 32);
    p.store("u64", message, p.compute(control, "&", 0x78), 40);
    const listener = p.load("u64", subject, FLOW.listener);
    const outside = p.load("u64", listener, LISTENER.fd);
    p.call("sendmsg", [outside, message, flags | C.MSG_NOSIGNAL]);
    p.place(failed);
    this.#emitTurn(left, again, subject);
  }
}
