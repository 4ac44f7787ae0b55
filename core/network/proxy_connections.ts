/**
 * The proxy's TCP part: a table of connections, each two sockets and, while bytes are on their way, a pipe for each
 * direction.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { ERRNO } from "../../ffi/errno.ts";
import type { Address, Label, ProgramBuilder, Value } from "../../ffi/program/builder.ts";
import { KIND, LISTENER, PROXY_MARK, type ProxyContext } from "./proxy_context.ts";
import {
  emitAim,
  IP_TRANSPARENT,
  IPV6_TRANSPARENT,
  SO_MARK,
  SOL_IP,
  SOL_IPV6,
} from "./proxy_source.ts";

/** A direction's part of a connection: where from, where to, its pipe (0 for none), bytes in it, and how far it is. */
const DIRECTION = { from: 0, to: 8, pipe: 16, pipeEnd: 24, held: 32, state: 40, size: 48 } as const;
/** States of a direction. */
const OPEN = 0, ENDING = 1, ENDED = 2;
/** A connection: its kind (0 while unused), the next unused one, the two directions. */
const CONNECTION = { next: 8, client: 16, server: 16 + DIRECTION.size, size: 16 + 2 * 48 } as const;
/** What a table can hold. Pages nobody came to are none. */
const MAX_CONNECTIONS = 32768;

/** Pipes kept for the next who has bytes to move. */
const SPARE_PIPES = 8;
const PIPE_SIZE = 1 << 20;
/** Bytes in a pipe that are not added to until some have gone on: a slow reader costs no more memory than that. */
const ENOUGH = 1 << 18;
/** Rounds a connection may take before others have their turn. */
const ROUNDS = 16;

const SPLICE_F_MOVE = 1, SPLICE_F_NONBLOCK = 2;
const SHUT_WR = 1;
const SO_LINGER = 13, SOL_TCP = 6, TCP_NODELAY = 1, IP_BIND_ADDRESS_NO_PORT = 24;

/** Emits what happens to connections. */
export class ConnectionPump {
  /** An event of a listening socket. */
  readonly accept: Label;
  /** An event of one of a connection's two sockets. */
  readonly pump: Label;
  readonly #context: ProxyContext;
  readonly #p: ProgramBuilder;
  readonly #close: Label;
  readonly #table: Address;
  readonly #used: Value;
  readonly #free: Value;
  readonly #spares: Address;
  readonly #spareCount: Value;
  readonly #connection: Value;

  constructor(context: ProxyContext) {
    const { p } = context;
    this.#context = context;
    this.#p = p;
    this.accept = p.label("accept");
    this.pump = p.label("pump");
    this.#close = p.label("close a connection");
    this.#table = p.trailingBuffer(MAX_CONNECTIONS * CONNECTION.size);
    this.#used = p.variable(0);
    this.#free = p.variable(0);
    this.#spares = p.buffer(SPARE_PIPES * 16);
    this.#spareCount = p.variable(0);
    this.#connection = p.variable(0);
  }

  emit(): void {
    this.#emitAccept();
    this.#emitPump();
    this.#emitClose();
  }

  #emitAccept(): void {
    const p = this.#p;
    const { next, stalled, subject } = this.#context;
    const peer = p.buffer(32), peerSize = p.words([0]);
    const client = p.variable(0), server = p.variable(0);
    const source = p.variable(0), size = p.variable(0), target = p.variable(0);
    const refuse = p.label("refuse");

    p.place(this.accept);
    const listening = p.load("u64", subject, LISTENER.fd);
    p.store("u64", peerSize, 28);
    const flags = C.SOCK_NONBLOCK | C.SOCK_CLOEXEC;
    p.set(client, p.call("accept4", [listening, peer, peerSize, flags]));
    p.jumpIf(client, "==", -ERRNO.EAGAIN, next);
    p.jumpIf(client, "==", -ERRNO.ECONNABORTED, this.accept);
    p.jumpIf(client, "<", 0, stalled);

    p.store("u16", p.after(peer, 2), 0);
    emitAim(this.#context, peer, { source, target, size });
    const type = C.SOCK_STREAM | flags;
    p.set(server, p.call("socket", [p.load("u16", source), type, 0]));
    p.jumpIf(server, "<", 0, refuse);
    this.#emitConnect(server, source, target, size);
    this.#emitEnter(client, server, refuse);
    p.jump(this.accept);

    p.place(refuse);
    p.call("close", [client]);
    p.jump(stalled);
  }

  /** Where the kernel does not let us be the client, we are ourselves. */
  #emitConnect(server: Value, source: Value, target: Value, size: Value): void {
    const p = this.#p;
    const bound = p.label("bound");
    const on = p.words([1]), mark = p.words([PROXY_MARK]), noMark = p.words([0]);
    p.call("setsockopt", [server, SOL_TCP, TCP_NODELAY, on, 4]);
    p.call("setsockopt", [server, C.SOL_SOCKET, SO_MARK, mark, 4]);
    const { ipv4, ipv6 } = this.#context.plan;
    if (ipv4 !== undefined) p.call("setsockopt", [server, SOL_IP, IP_TRANSPARENT, on, 4]);
    if (ipv6 !== undefined) p.call("setsockopt", [server, SOL_IPV6, IPV6_TRANSPARENT, on, 4]);
    p.call("setsockopt", [server, SOL_IP, IP_BIND_ADDRESS_NO_PORT, on, 4]);
    p.jumpIf(p.call("bind", [server, source, size]), "==", 0, bound);
    p.call("setsockopt", [server, C.SOL_SOCKET, SO_MARK, noMark, 4]);
    p.place(bound);
    p.call("connect", [server, target, size]);
  }

  /** Makes a connection of two sockets. */
  #emitEnter(client: Value, server: Value, refuse: Label): void {
    const p = this.#p;
    const fresh = p.label("a fresh connection"), there = p.label("connection");
    const full = p.label("no room");
    const connection = this.#connection;
    p.set(connection, this.#free);
    p.jumpIf(connection, "==", 0, fresh);
    p.set(this.#free, p.load("u64", connection, CONNECTION.next));
    p.jump(there);
    p.place(full);
    p.call("close", [server]);
    p.jump(refuse);
    p.place(fresh);
    p.jumpIf(this.#used, ">=", MAX_CONNECTIONS, full);
    const at = p.compute(this.#used, "*", CONNECTION.size);
    p.set(connection, p.compute(this.#table, "+", at));
    p.set(this.#used, p.compute(this.#used, "+", 1));
    p.place(there);
    p.store("u64", connection, KIND.connection);
    const ways = [[CONNECTION.client, client, server], [
      CONNECTION.server,
      server,
      client,
    ]] as const;
    for (const [offset, from, to] of ways) {
      p.store("u64", connection, from, offset + DIRECTION.from);
      p.store("u64", connection, to, offset + DIRECTION.to);
      p.store("u64", connection, 0, offset + DIRECTION.pipe);
      p.store("u64", connection, 0, offset + DIRECTION.held);
      p.store("u64", connection, OPEN, offset + DIRECTION.state);
    }
    this.#context.watch(client, connection);
    this.#context.watch(server, connection);
  }

  /** Moves bytes both ways until nothing moves, or others have waited long enough. */
  #emitPump(): void {
    const p = this.#p;
    const { next, subject } = this.#context;
    const rounds = p.variable(0), hasMoved = p.variable(0);
    const way = p.variable(0), end = p.variable(0);
    const round = p.label("round"), direction = p.label("direction");
    const idle = p.label("idle");
    p.place(this.pump);
    p.set(this.#connection, subject);
    p.set(end, p.compute(subject, "+", CONNECTION.size));
    p.set(rounds, ROUNDS);
    p.place(round);
    p.set(hasMoved, 0);
    p.set(way, p.compute(this.#connection, "+", CONNECTION.client));
    p.place(direction);
    this.#emitDirection(way, hasMoved);
    p.set(way, p.compute(way, "+", DIRECTION.size));
    p.jumpIf(way, "!=", end, direction);
    const states = p.compute(
      p.load("u64", this.#connection, CONNECTION.client + DIRECTION.state),
      "+",
      p.load("u64", this.#connection, CONNECTION.server + DIRECTION.state),
    );
    p.jumpIf(states, "==", 2 * ENDED, this.#close);
    p.jumpIf(hasMoved, "==", 0, idle);
    p.set(rounds, p.compute(rounds, "-", 1));
    p.jumpIf(rounds, "!=", 0, round);
    for (const offset of [CONNECTION.client, CONNECTION.server]) {
      const fd = p.load("u64", this.#connection, offset + DIRECTION.from);
      this.#context.watchAgain(fd, this.#connection);
    }
    p.place(idle);
    p.jump(next);
  }

  #emitDirection(way: Value, hasMoved: Value): void {
    const p = this.#p;
    const over = p.label("over"), piped = p.label("has a pipe"), drained = p.label("read");
    const written = p.label("written"), ended = p.label("end of input"), wrote = p.label("wrote");
    const fresh = p.label("a fresh pipe"), kept = p.label("keep the pipe");
    const open = p.label("still open"), reset = p.label("reset");
    const nonblock = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
    p.jumpIf(p.load("u64", way, DIRECTION.state), "==", ENDED, over);

    p.jumpIf(p.load("u64", way, DIRECTION.pipe), "!=", 0, piped);
    p.jumpIf(this.#spareCount, "==", 0, fresh);
    p.set(this.#spareCount, p.compute(this.#spareCount, "-", 1));
    const spare = p.compute(this.#spares, "+", p.compute(this.#spareCount, "*", 16));
    p.store("u64", way, p.load("u64", spare), DIRECTION.pipe);
    p.store("u64", way, p.load("u64", spare, 8), DIRECTION.pipeEnd);
    p.jump(piped);
    p.place(fresh);
    const pair = p.buffer(8);
    const made = p.call("pipe2", [pair, C.O_NONBLOCK | C.O_CLOEXEC]);
    p.jumpIf(made, "<", 0, reset);
    p.store("u64", way, p.load("u32", pair), DIRECTION.pipe);
    p.store("u64", way, p.load("u32", p.after(pair, 4)), DIRECTION.pipeEnd);
    p.call("fcntl", [p.load("u32", pair), C.F_SETPIPE_SZ, PIPE_SIZE]);

    p.place(piped);
    const pipe = p.load("u64", way, DIRECTION.pipe);
    const pipeEnd = p.load("u64", way, DIRECTION.pipeEnd);
    p.jumpIf(p.load("u64", way, DIRECTION.state), "!=", OPEN, drained);
    // More would only lie there, and each little piece of it takes a call.
    p.jumpIf(p.load("u64", way, DIRECTION.held), ">=", ENOUGH, drained);
    const from = p.load("u64", way, DIRECTION.from);
    const got = p.call("splice", [from, 0, pipeEnd, 0, PIPE_SIZE, nonblock]);
    p.jumpIf(got, "==", 0, ended);
    p.jumpIf(got, "==", -ERRNO.EAGAIN, drained);
    p.jumpIf(got, "<", 0, reset);
    p.store("u64", way, p.compute(p.load("u64", way, DIRECTION.held), "+", got), DIRECTION.held);
    p.set(hasMoved, 1);
    p.jump(drained);
    p.place(ended);
    p.store("u64", way, ENDING, DIRECTION.state);
    p.place(drained);

    const held = p.load("u64", way, DIRECTION.held);
    p.jumpIf(held, "==", 0, written);
    const to = p.load("u64", way, DIRECTION.to);
    const sent = p.call("splice", [pipe, 0, to, 0, held, nonblock]);
    p.jumpIf(sent, "==", -ERRNO.EAGAIN, over);
    p.jumpIf(sent, ">=", 1, wrote);
    // The other side wants no more. What it said before is still to be passed on; at the end of that is its reset.
    p.store("u64", way, ENDED, DIRECTION.state);
    p.jump(over);
    p.place(reset);
    this.#emitReset();
    p.jump(this.#close);
    p.place(wrote);
    p.set(hasMoved, 1);
    const left = p.compute(held, "-", sent);
    p.store("u64", way, left, DIRECTION.held);
    p.jumpIf(left, "!=", 0, over);

    p.place(written); // nothing is on its way: the pipe is free for others
    p.jumpIf(p.load("u64", way, DIRECTION.state), "==", OPEN, open);
    p.call("shutdown", [p.load("u64", way, DIRECTION.to), SHUT_WR]);
    p.store("u64", way, ENDED, DIRECTION.state);
    p.place(open);
    p.store("u64", way, 0, DIRECTION.pipe);
    p.jumpIf(this.#spareCount, "<", SPARE_PIPES, kept);
    p.call("close", [pipe]);
    p.call("close", [pipeEnd]);
    p.jump(over);
    p.place(kept);
    const slot = p.compute(this.#spares, "+", p.compute(this.#spareCount, "*", 16));
    p.store("u64", slot, pipe);
    p.store("u64", slot, pipeEnd, 8);
    p.set(this.#spareCount, p.compute(this.#spareCount, "+", 1));
    p.place(over);
  }

  /** Both sides are to see that it did not end well. */
  #emitReset(): void {
    const p = this.#p;
    const now = p.words([1]); // l_onoff 1, l_linger 0
    for (const offset of [CONNECTION.client, CONNECTION.server]) {
      const fd = p.load("u64", this.#connection, offset + DIRECTION.from);
      p.call("setsockopt", [fd, C.SOL_SOCKET, SO_LINGER, now, 8]);
    }
  }

  #emitClose(): void {
    const p = this.#p;
    const connection = this.#connection;
    p.place(this.#close);
    for (const offset of [CONNECTION.client, CONNECTION.server]) {
      const none = p.label("no pipe");
      p.call("close", [p.load("u64", connection, offset + DIRECTION.from)]);
      const pipe = p.load("u64", connection, offset + DIRECTION.pipe);
      p.jumpIf(pipe, "==", 0, none);
      p.call("close", [pipe]);
      p.call("close", [p.load("u64", connection, offset + DIRECTION.pipeEnd)]);
      p.place(none);
    }
    p.store("u64", connection, 0);
    p.store("u64", connection, this.#free, CONNECTION.next);
    p.set(this.#free, connection);
    p.jump(this.#context.closed);
  }
}
