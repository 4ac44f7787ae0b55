/**
 * The monitor's program: the parent of a container's init. It writes the log, hands stdin or the terminal to whoever
 * attaches, reaps, records the exit and starts the exit hook. It lives on a few pages and holds the container's lock:
 * when it is gone, so is the lock, and PDEATHSIG has taken the container along.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import type { Address, Label, ProgramBuilder, Value } from "../../ffi/program/builder.ts";
import { resetSignals } from "../../ffi/program/fragments.ts";
import { CMSG_FD_AT, CMSG_ONE_FD_SIZE, encodeFdMessage } from "../../ffi/socket.ts";
import { LOG_HEADER_SIZE } from "./log_format.ts";
import { emitKeepMemoryEvents } from "./monitor_group.ts";
import { emitReceiveFd } from "./receive_fd.ts";
import { RUN_EXIT_AT, RUN_MAGIC, RUN_RECORD_SIZE } from "./run_record.ts";

/** The largest piece of output in one log frame. */
const CHUNK = 16384;
/** How long output may linger after init's end where other processes hold it open, in nanoseconds. */
const LINGER_NS = 100_000_000;

/** Requests to a monitor's socket. */
export const MONITOR_REQUEST = { attach: 0x41, closeStdin: 0x43 } as const;

/** The descriptors a monitor keeps; -1 for what it does not have. */
export interface MonitorFds {
  run: number;
  log: number;
  lock: number;
  /** Reading ends of the container's output. Replaced by the terminal's master where there is one. */
  stdout: number;
  stderr: number;
  /** Writing end of its stdin, if somebody may attach later. */
  stdin: number;
  /** Datagram socket for requests. */
  control: number;
  /** Reading end of a pipe whose other end the foreground dhow holds. */
  owner: number;
  /** Keeps the user namespace's holder. */
  alive: number;
  /** Keeps the router, where the container has networks. */
  router: number;
  /** A socket by which init sends the listener of its seccomp filter, where that asks something. */
  asked?: number;
  devNull: number;
}

/** How a monitor behaves. */
export interface MonitorOptions {
  fds: MonitorFds;
  /** Bytes already in the log. */
  logSize: number;
  /** Bytes after which the log is rotated; 0 for never. */
  logMaxSize: number;
  /** Number of log files, the current one included. */
  logMaxFiles: number;
  /** What to execute when the container has ended. */
  hook: {
    args: string[];
    env: string[];
    /** Even if the foreground dhow is there. */
    always: boolean;
  };
  /** Adds what answers one request of the filter's. @param init A pidfd. */
  emitAnswer?: (p: ProgramBuilder, listener: Value, init: Value) => void;
  /** Nothing will be started from its directory again: who waits for the lock need not wait for the mounts to go. */
  isRemovedAtEnd: boolean;
  /** Kill the container when nobody holds the other end of `owner` any more. @default false */
  endsWithOwner?: boolean;
  /** Executed every now and then while the container runs: health checks. Its exit code 1 asks for `startInterval`. */
  probe?: { args: string[]; env: string[]; intervalNs: number; startIntervalNs: number };
}

/** Slots of the poll set. */
const SLOT = {
  init: 0,
  stdout: 1,
  stderr: 2,
  control: 3,
  timer: 4,
  probe: 5,
  owner: 6,
  asked: 7,
} as const;
const SLOTS = 8;
const POLLFD = 8;

/** What the monitor knows of the container's init. */
export interface MonitoredInit {
  pid: Value;
  pidfd: Value;
  /** Holds its mount namespace; -1 if that is not its own. */
  mounts: Value;
  /** Its control group; undefined if it has none of its own. */
  group: Value | undefined;
  record: Address;
}

/** Adds the monitor's loop. `master` is the terminal's descriptor, or undefined. */
export function emitMonitor(
  p: ProgramBuilder,
  options: MonitorOptions,
  init: MonitoredInit,
  master: Value | undefined,
): void {
  new MonitorProgram(p, options, init, master).emit();
}

class MonitorProgram {
  readonly #p: ProgramBuilder;
  readonly #options: MonitorOptions;
  readonly #init: MonitoredInit;
  readonly #master: Value | undefined;
  readonly #polls: Address;
  readonly #buffer: Address;
  readonly #frame: Address;
  readonly #iov: Address;
  readonly #logSize: Value;
  readonly #stdin: Value;
  readonly #ended: Value;
  readonly #logFd: Value;

  constructor(
    p: ProgramBuilder,
    options: MonitorOptions,
    init: MonitoredInit,
    master: Value | undefined,
  ) {
    this.#p = p;
    this.#options = options;
    this.#init = init;
    this.#master = master;
    this.#polls = p.buffer(SLOTS * POLLFD);
    this.#frame = p.buffer(LOG_HEADER_SIZE);
    this.#logSize = p.variable(options.logSize);
    this.#stdin = p.variable(options.fds.stdin);
    this.#ended = p.variable(0);
    this.#logFd = p.variable(options.fds.log);
    this.#buffer = p.trailingBuffer(CHUNK);
    this.#iov = p.words([this.#frame, LOG_HEADER_SIZE, this.#buffer, 0]);
  }

  emit(): void {
    const p = this.#p;
    const { fds } = this.#options;
    this.#watch(SLOT.init, this.#init.pidfd);
    this.#watch(SLOT.stdout, this.#master ?? fds.stdout);
    this.#watch(SLOT.stderr, this.#master === undefined ? fds.stderr : -1);
    this.#watch(SLOT.control, fds.control);
    this.#watch(SLOT.timer, -1);
    this.#watch(SLOT.probe, -1);
    this.#watch(SLOT.owner, this.#options.endsWithOwner ? fds.owner : -1);
    if (this.#master !== undefined) p.set(this.#stdin, this.#master);
    const probe = this.#emitProbeSetup();
    const asked = this.#emitListenerSetup();

    const finish = p.label("finish");
    const linger = p.words([0, LINGER_NS]);
    const loop = p.here("monitor");
    const wait = p.label("wait");
    const polled = p.label("polled");
    p.jumpIf(this.#ended, "==", 0, wait);
    // Init is gone and, with its pid namespace, all that could write: what is left in the pipes is there now.
    const ready = p.call("ppoll", [this.#polls, SLOT.stderr + 1, linger, 0, 0]);
    p.jumpIf(ready, "<", 1, finish);
    p.jump(polled);
    p.place(wait);
    p.call("ppoll", [this.#polls, SLOTS, 0, 0, 0]);
    p.place(polled);
    this.#emitOutput(SLOT.stdout, 1);
    this.#emitOutput(SLOT.stderr, 2);
    this.#emitControl();
    probe?.();
    asked?.();
    if (this.#options.endsWithOwner) this.#emitOwnerEnd();
    this.#emitInitEnd();
    // After the end: go on until both outputs are closed.
    p.jumpIf(this.#ended, "==", 0, loop);
    p.jumpIf(this.#slotFd(SLOT.stdout), ">=", 0, loop);
    p.jumpIf(this.#slotFd(SLOT.stderr), ">=", 0, loop);
    p.place(finish);
    this.#emitFinish();
  }

  #slot(slot: number): Address {
    return this.#p.after(this.#polls, slot * POLLFD);
  }

  #watch(slot: number, fd: Value | number): void {
    this.#p.store("u32", this.#slot(slot), fd);
    this.#p.store("u16", this.#p.after(this.#slot(slot), 4), C.POLLIN);
  }

  #unwatch(slot: number): void {
    this.#p.store("u32", this.#slot(slot), -1);
    this.#p.store("u16", this.#p.after(this.#slot(slot), 6), 0);
  }

  #slotFd(slot: number): Value {
    return this.#p.load("i32", this.#slot(slot));
  }

  #skipUnlessReady(slot: number, skip: Label): void {
    const revents = this.#p.load("u16", this.#p.after(this.#slot(slot), 6));
    this.#p.jumpIf(revents, "==", 0, skip);
  }

  /** Reads what is there and appends it to the log as one frame. */
  #emitOutput(slot: number, stream: number): void {
    const p = this.#p;
    const skip = p.label("no output");
    const closed = p.label("output closed");
    this.#skipUnlessReady(slot, skip);
    const fd = this.#slotFd(slot);
    const n = p.call("read", [fd, this.#buffer, CHUNK]);
    p.jumpIf(n, "<", 1, closed);
    this.#emitFrame(n, stream);
    p.jump(skip);
    p.place(closed);
    p.call("close", [fd]);
    if (this.#master !== undefined) p.set(this.#stdin, -1);
    this.#unwatch(slot);
    p.place(skip);
  }

  #emitFrame(length: Value, stream: number): void {
    const p = this.#p;
    const done = p.label("logged");
    p.call("clock_gettime", [C.CLOCK_REALTIME, this.#frame]); // seconds and nanoseconds, as the header has them
    p.store("u32", p.after(this.#frame, 12), stream);
    p.store("u64", p.after(this.#frame, 16), length);
    p.store("u64", p.after(this.#iov, 24), length);
    const expected = p.compute(length, "+", LOG_HEADER_SIZE);
    const written = p.call("writev", [this.#logFd, this.#iov, 2]);
    const torn = p.label("torn frame");
    p.jumpIf(written, "!=", expected, torn);
    p.set(this.#logSize, p.compute(this.#logSize, "+", expected));
    this.#emitRotation(done);
    p.jump(done);
    // A full disk loses the frame, not the log's structure.
    p.place(torn);
    p.call("ftruncate", [this.#logFd, this.#logSize]);
    p.place(done);
  }

  /** The working directory is the container's: `log` becomes `log.1`, that `log.2`, the last is overwritten. */
  #emitRotation(done: Label): void {
    const { logMaxSize, logMaxFiles } = this.#options;
    if (logMaxSize <= 0) return;
    const p = this.#p;
    p.jumpIf(this.#logSize, "<", logMaxSize, done);
    for (let i = logMaxFiles - 1; i >= 1; i--) {
      const from = i === 1 ? "log" : `log.${i - 1}`;
      p.call("renameat2", [C.AT_FDCWD, from, C.AT_FDCWD, `log.${i}`, 0]);
    }
    if (logMaxFiles <= 1) p.call("unlinkat", [C.AT_FDCWD, "log", 0]);
    const flags = C.O_WRONLY | C.O_APPEND | C.O_CREAT | C.O_EXCL | C.O_CLOEXEC;
    const fresh = p.call("openat", [C.AT_FDCWD, "log", flags, 0o600]);
    p.jumpIf(fresh, "<", 0, done);
    p.call("close", [this.#logFd]);
    p.set(this.#logFd, fresh);
    p.set(this.#logSize, 0);
  }

  /** Answers one request: a datagram of one byte, with a socket to answer on. Never waits for a client. */
  #emitControl(): void {
    if (this.#options.fds.control < 0) return;
    const p = this.#p;
    const skip = p.label("no request");
    this.#skipUnlessReady(SLOT.control, skip);
    const request = p.buffer(8);
    const control = p.buffer(CMSG_ONE_FD_SIZE);
    const header = p.words([0, 0, p.words([request, 1]), 1, control, CMSG_ONE_FD_SIZE, 0]);
    p.store("u64", control, 0);
    p.store("u64", p.after(header, 40), CMSG_ONE_FD_SIZE);
    const flags = C.MSG_DONTWAIT | C.MSG_CMSG_CLOEXEC;
    const got = p.call("recvmsg", [this.#options.fds.control, header, flags]);
    p.jumpIf(got, "<", 1, skip);
    const noReply = p.label("no reply socket");
    p.jumpIf(p.load("u64", control), "==", 0, noReply);
    const reply = p.load("i32", p.after(control, CMSG_FD_AT));
    const answer = p.bytes(encodeFdMessage());
    const iov = p.words([request, 1]);
    const withFd = p.words([0, 0, iov, 1, answer, CMSG_ONE_FD_SIZE, 0]);
    const plain = p.words([0, 0, iov, 1, 0, 0, 0]);
    const send = C.MSG_DONTWAIT | C.MSG_NOSIGNAL;
    const withoutStdin = p.label("without stdin");
    const answered = p.label("answered");
    p.jumpIf(this.#stdin, "<", 0, withoutStdin);
    p.store("u32", p.after(answer, CMSG_FD_AT), this.#stdin);
    p.call("sendmsg", [reply, withFd, send]);
    p.jump(answered);
    p.place(withoutStdin);
    p.call("sendmsg", [reply, plain, send]);
    p.place(answered);
    p.call("close", [reply]);
    p.place(noReply);
    p.jumpIf(p.load("u8", request), "!=", MONITOR_REQUEST.closeStdin, skip);
    if (this.#master === undefined) {
      p.jumpIf(this.#stdin, "<", 0, skip);
      p.call("close", [this.#stdin]);
      p.set(this.#stdin, -1);
    }
    p.place(skip);
  }

  /** Starts the timer for probes; returns what handles it in the loop. */
  #emitProbeSetup(): (() => void) | undefined {
    const probe = this.#options.probe;
    if (probe === undefined) return undefined;
    const p = this.#p;
    const after = (ns: number) => p.words([0, 0, Math.floor(ns / 1e9), ns % 1e9]);
    const interval = after(probe.intervalNs), startInterval = after(probe.startIntervalNs);
    const timer = p.variable(-1);
    const probePid = p.variable(0);
    p.set(timer, p.call("timerfd_create", [C.CLOCK_MONOTONIC, C.O_CLOEXEC | C.O_NONBLOCK]));
    p.call("timerfd_settime", [timer, 0, startInterval, 0]);
    this.#watch(SLOT.timer, timer);
    return () => {
      const noTimer = p.label("no timer");
      const noProbe = p.label("no probe");
      const child = p.label("probe");
      const again = p.label("arm the timer");
      this.#skipUnlessReady(SLOT.timer, noTimer);
      p.call("read", [timer, p.buffer(8), 8]);
      const pid = p.clone(C.SIGCHLD, child);
      p.jumpIf(pid, "<", 0, noTimer);
      p.set(probePid, pid);
      this.#watch(SLOT.probe, p.call("pidfd_open", [pid, 0]));
      p.jump(noTimer);
      p.place(child);
      this.#emitExecute(probe.args, probe.env);
      p.place(noTimer);
      this.#skipUnlessReady(SLOT.probe, noProbe);
      const status = p.buffer(8);
      p.call("wait4", [probePid, status, 0, 0]);
      p.call("close", [this.#slotFd(SLOT.probe)]);
      this.#unwatch(SLOT.probe);
      p.jumpIf(p.load("u32", status), "!=", 0x100, again);
      p.call("timerfd_settime", [timer, 0, startInterval, 0]);
      p.jump(noProbe);
      p.place(again);
      p.call("timerfd_settime", [timer, 0, interval, 0]);
      p.place(noProbe);
    };
  }

  /** Takes the filter's listener; returns what handles it in the loop. */
  #emitListenerSetup(): (() => void) | undefined {
    const { fds: { asked = -1 }, emitAnswer } = this.#options;
    const p = this.#p;
    this.#watch(SLOT.asked, -1);
    if (asked < 0 || emitAnswer === undefined) return undefined;
    const none = p.label("no listener");
    this.#watch(SLOT.asked, emitReceiveFd(p, asked, C.MSG_DONTWAIT, none));
    p.place(none);
    p.call("close", [asked]);
    return () => {
      const skip = p.label("nothing asked"), gone = p.label("nobody asks any more");
      this.#skipUnlessReady(SLOT.asked, skip);
      const revents = p.load("u16", p.after(this.#slot(SLOT.asked), 6));
      p.jumpIf(p.compute(revents, "&", C.POLLIN), "==", 0, gone);
      emitAnswer(p, this.#slotFd(SLOT.asked), this.#init.pidfd);
      p.jump(skip);
      p.place(gone);
      p.call("close", [this.#slotFd(SLOT.asked)]);
      this.#unwatch(SLOT.asked);
      p.place(skip);
    };
  }

  #emitOwnerEnd(): void {
    const p = this.#p;
    const skip = p.label("owner is there");
    this.#skipUnlessReady(SLOT.owner, skip);
    p.call("kill", [this.#init.pid, C.SIGKILL]);
    this.#unwatch(SLOT.owner);
    p.place(skip);
  }

  #emitInitEnd(): void {
    const p = this.#p;
    const skip = p.label("init runs");
    p.jumpIf(this.#ended, "!=", 0, skip);
    this.#skipUnlessReady(SLOT.init, skip);
    p.call("wait4", [this.#init.pid, p.after(this.#init.record, RUN_EXIT_AT + 8), 0, 0]);
    p.call("clock_gettime", [C.CLOCK_REALTIME, p.after(this.#init.record, RUN_EXIT_AT + 16)]);
    p.set(this.#ended, 1);
    this.#unwatch(SLOT.init);
    p.place(skip);
  }

  #emitFinish(): void {
    const p = this.#p;
    const { fds, hook } = this.#options;
    if (this.#init.group !== undefined) emitKeepMemoryEvents(p, this.#init.group);
    p.store("u64", p.after(this.#init.record, RUN_EXIT_AT), 1);
    const half = RUN_RECORD_SIZE - RUN_EXIT_AT;
    p.call("pwrite64", [fds.run, p.after(this.#init.record, RUN_EXIT_AT), half, RUN_EXIT_AT]);
    const runHook = p.label("exit hook");
    if (fds.owner >= 0 && !hook.always) {
      const owner = p.buffer(8);
      p.store("u32", owner, fds.owner);
      p.call("ppoll", [owner, 1, p.words([0, 0]), 0, 0]);
      p.jumpIf(p.load("u16", p.after(owner, 6)), "&", C.POLLHUP, runHook);
      // A second overlay on the same directories has to wait until the first is gone.
      if (!this.#options.isRemovedAtEnd) p.call("close", [this.#init.mounts]);
      p.call("close", [fds.lock]);
      p.exit(0);
    }
    p.place(runHook);
    this.#emitExecute(hook.args, hook.env);
  }

  #emitExecute(args: string[], env: string[]): void {
    const p = this.#p;
    for (const fd of [0, 1, 2]) p.call("dup3", [this.#options.fds.devNull, fd, 0]);
    resetSignals(p);
    p.call("execve", [p.string(args[0]!), p.strings(args), p.strings(env)]);
    p.exit(127);
  }
}

/** The record as the program begins with: all zero but the magic word. */
export function emitRunRecord(p: ProgramBuilder): Address {
  const words: bigint[] = new Array(RUN_RECORD_SIZE / 8).fill(0n);
  words[0] = RUN_MAGIC;
  return p.words(words);
}
