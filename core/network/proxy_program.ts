/**
 * The proxy's program: accepts on the host, connects inside the container's network namespace as if it were the client
 * itself, and lets the kernel move the bytes. One process for all published ports of a container.
 *
 * Sockets keep the namespace they were made in: the listening ones were made on the host, then the process enters the
 * container's. It ends with the container's init.
 *
 * @see man 2 splice, man 7 epoll; "IP_TRANSPARENT" in man 7 ip
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import {
  type Address,
  type Label,
  type Program,
  ProgramBuilder,
  type Value,
} from "../../ffi/program/builder.ts";
import { closeAllBut, nameProcess, resetSignals } from "../../ffi/program/fragments.ts";
import { ConnectionPump } from "./proxy_connections.ts";
import {
  EPOLLIN,
  KIND,
  LISTENER,
  type ProxyContext,
  type ProxyListener,
  type ProxyPlan,
} from "./proxy_context.ts";
import { DatagramFlows } from "./proxy_flows.ts";

/** As ps(1) shows it. */
export const PROXY_NAME = "dhow-port";

const ARM = Deno.build.arch === "aarch64";
/** `struct epoll_event`, packed on x86_64 only. */
const EVENT = ARM ? { data: 8, size: 16 } : { data: 4, size: 12 };
const EVENTS = 64;

const EPOLL_CTL_ADD = 1, EPOLL_CTL_MOD = 3;
const EPOLLOUT = 4, EPOLLRDHUP = 0x2000, EPOLLET = 2 ** 31;
const EVERYTHING = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
const RLIMIT_NOFILE = 7, SIG_IGN = 1;
const CAP_NET_ADMIN = 12, CAP_NET_RAW = 13;
/** How long a proxy that ran out of descriptors waits before it accepts again, in milliseconds. */
const STALL_MS = 100;

/** Builds the program. Pure. */
export function buildProxy(plan: ProxyPlan): Program {
  return new ProxyProgram(plan).build();
}

class ProxyProgram implements ProxyContext {
  readonly p: ProgramBuilder = new ProgramBuilder();
  readonly plan: ProxyPlan;
  readonly epoll: Value;
  readonly next: Label;
  readonly closed: Label;
  readonly stalled: Label;
  readonly subject: Value;
  readonly #event: Address;
  readonly #timeoutMs: Value;
  readonly #usualTimeoutMs: number;

  constructor(plan: ProxyPlan) {
    const { p } = this;
    this.plan = plan;
    this.epoll = p.variable(0);
    this.subject = p.variable(0);
    this.next = p.label("next event");
    this.closed = p.label("descriptors are free");
    this.stalled = p.label("out of descriptors");
    this.#event = p.buffer(16);
    this.#usualTimeoutMs = this.#has("udp") ? DatagramFlows.SWEEP_MS : -1;
    this.#timeoutMs = p.variable(this.#usualTimeoutMs);
  }

  #has(protocol: ProxyListener["protocol"]): boolean {
    return this.plan.listeners.some((listener) => listener.protocol === protocol);
  }

  build(): Program {
    const { p, plan } = this;
    this.#emitSettle();
    const table = p.words(plan.listeners.flatMap(({ fd, protocol, version, port }) => [
      KIND[protocol],
      fd,
      swap16(port),
      version,
    ]));
    const leave = p.label("leave");
    const init = p.words([KIND.init]);
    const pidfd = p.call("pidfd_open", [plan.pid, 0], { orElse: leave });
    this.#emitEnter(leave);
    p.set(this.epoll, p.call("epoll_create1", [C.O_CLOEXEC], { orElse: leave }));
    this.watch(pidfd, init, EPOLLIN);
    this.#forEachListener(table, EPOLL_CTL_ADD);
    this.#emitLoop(table, leave);
    return p.build();
  }

  watch(fd: Value | number, subject: Value | Address, how: number = EVERYTHING): Value {
    return this.#control(EPOLL_CTL_ADD, fd, subject, how);
  }

  watchAgain(fd: Value, subject: Value, how: number = EVERYTHING): void {
    this.#control(EPOLL_CTL_MOD, fd, subject, how);
  }

  #control(
    operation: number,
    fd: Value | number,
    subject: Value | Address,
    how: number,
  ): Value {
    const { p } = this;
    p.store("u32", this.#event, how + EPOLLET);
    p.store("u64", p.after(this.#event, EVENT.data), subject);
    return p.call("epoll_ctl", [this.epoll, operation, fd, this.#event]);
  }

  /** A process like a daemon. */
  #emitSettle(): void {
    const { p, plan } = this;
    p.call("setsid", []);
    nameProcess(p, PROXY_NAME);
    p.call("chdir", ["/"]);
    const kept = [...plan.listeners.map(({ fd }) => fd), plan.userns, plan.netns, plan.devNull];
    closeAllBut(p, kept);
    for (const fd of [0, 1, 2]) p.call("dup3", [plan.devNull, fd, 0]);
    resetSignals(p);
    p.call("rt_sigaction", [C.SIGPIPE, p.words([SIG_IGN, 0, 0, 0]), 0, 8]);
    const limit = p.buffer(16);
    p.call("prlimit64", [0, RLIMIT_NOFILE, 0, limit]);
    p.store("u64", limit, p.load("u64", limit, 8));
    p.call("prlimit64", [0, RLIMIT_NOFILE, limit, 0]);
  }

  /** Goes where the container is, with nothing but the right to connect for others. */
  #emitEnter(leave: Label): void {
    const { p, plan } = this;
    p.call("setns", [plan.userns, C.CLONE_NEWUSER], { orElse: leave });
    p.call("setns", [plan.netns, C.CLONE_NEWNET], { orElse: leave });
    for (const fd of [plan.userns, plan.netns, plan.devNull]) p.call("close", [fd]);
    const header = p.words([C.LINUX_CAPABILITY_VERSION_3]);
    const rights = 1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW;
    const both = BigInt(rights) << 32n | BigInt(rights); // effective, permitted
    p.call("capset", [header, p.words([both, 0, 0])]);
  }

  #forEachListener(table: Address, operation: number): void {
    const { p } = this;
    const entry = p.variable(0);
    const end = p.variable(p.after(table, LISTENER.size * this.plan.listeners.length));
    p.set(entry, table);
    const again = p.here("each listener");
    this.#control(operation, p.load("u64", entry, LISTENER.fd), entry, EPOLLIN);
    p.set(entry, p.compute(entry, "+", LISTENER.size));
    p.jumpIf(entry, "!=", end, again);
  }

  #emitLoop(table: Address, leave: Label): void {
    const { p } = this;
    const events = p.buffer(EVENTS * EVENT.size);
    const at = p.variable(0), end = p.variable(0);
    const rearm = p.label("accept again");
    const flows = this.#has("udp") ? new DatagramFlows(this) : undefined;
    const connections = this.#has("tcp") ? new ConnectionPump(this) : undefined;

    const wait = p.here("wait");
    flows?.emitSweep();
    const count = p.call("epoll_pwait", [this.epoll, events, EVENTS, this.#timeoutMs, 0, 8]);
    p.set(at, p.compute(events, "-", EVENT.size));
    p.set(end, p.compute(at, "+", p.compute(count, "*", EVENT.size)));
    p.jumpIf(count, "==", 0, rearm);
    p.jumpIf(count, "<", 0, wait); // a debugger
    p.place(this.next);
    p.jumpIf(at, "==", end, wait);
    p.set(at, p.compute(at, "+", EVENT.size));
    p.set(this.subject, p.load("u64", at, EVENT.data));
    const kind = p.load("u64", this.subject);
    p.jumpIf(kind, "==", KIND.init, leave);
    if (connections !== undefined) {
      p.jumpIf(kind, "==", KIND.connection, connections.pump);
      p.jumpIf(kind, "==", KIND.tcp, connections.accept);
    }
    if (flows !== undefined) {
      p.jumpIf(kind, "==", KIND.flow, flows.answer);
      p.jumpIf(kind, "==", KIND.udp, flows.receive);
    }
    p.jump(this.next); // of a connection that is gone

    p.place(this.stalled);
    p.set(this.#timeoutMs, STALL_MS);
    p.jump(this.next);
    p.place(this.closed);
    p.jumpIf(this.#timeoutMs, "!=", STALL_MS, this.next);
    p.place(rearm);
    p.set(this.#timeoutMs, this.#usualTimeoutMs);
    this.#forEachListener(table, EPOLL_CTL_MOD);
    p.jump(this.next);

    connections?.emit();
    flows?.emit();
    p.place(leave);
    p.exit(0);
  }
}

/** A port in network order, as a little-endian number. */
function swap16(port: number): number {
  return (port & 0xff) << 8 | port >> 8;
}
