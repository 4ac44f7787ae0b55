/**
 * The part of a program that turns a set-up process into the user's command: terminal, standard streams, limits,
 * identity, capabilities, seccomp, execve. Shared by a container's init and by exec.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import type { Address } from "../../ffi/program/builder.ts";
import { resetSignals } from "../../ffi/program/fragments.ts";
import { CMSG_FD_AT, encodeFdMessage, MSGHDR_SIZE } from "../../ffi/socket.ts";
import { parseCpuSet } from "../lib/cpu_set.ts";
import type { Process, Rlimit } from "../spec/runtime.ts";
import { capabilityMask, capabilityNumber } from "./capabilities.ts";
import type { InitContext } from "./init_context.ts";

/** Labels of the ops that look for and execute the command, for the one who words the error. */
export const EXEC_LABELS = {
  chdir: "chdir to the working directory",
  find: "find the command",
  access: "access the command",
  exec: "execute the command",
} as const;

/** Where a process's standard streams come from: three descriptors, or a terminal of its own. */
export type Stdio =
  | { kind: "fds"; stdin: number; stdout: number; stderr: number }
  | {
    kind: "terminal";
    /** A unix socket to send the terminal's master descriptor over. */
    socket: number;
    size: { rows: number; columns: number };
    /** Make it /dev/console too. */
    console: boolean;
  };

/** What {@linkcode emitProcess} needs besides the spec's process. */
export interface ProcessOptions {
  stdio: Stdio;
  /** Array of `struct sock_filter`; none when unconfined. */
  seccomp?: Uint8Array;
  /** A unix socket to send the filter's listener over, where the filter asks. */
  asks?: number;
  /** Only one id is mapped: groups cannot be set. */
  singleId: boolean;
  /** The processors it may run on, where the control group may not see to that: `0-3,7`. */
  cpus?: string;
  /** Make the working directory if it is missing. */
  makeCwd: boolean;
  /** Kill the process when its parent is gone. */
  dieWithParent: boolean;
}

const RLIMITS: Record<string, number> = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
};

const LAST_POSSIBLE_CAPABILITY = 63;
const KEYCTL_JOIN_SESSION_KEYRING = 1;
const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
const PR_SET_SECUREBITS = 28, SECBIT_NOROOT = 1;

/** Adds the ops from a set-up root to execve. Nothing after them runs unless a failure jumps past. */
export function emitProcess(ctx: InitContext, process: Process, options: ProcessOptions): void {
  if (process.oomScoreAdj !== undefined) {
    const path = "/proc/self/oom_score_adj";
    ctx.writeFile("set the OOM score", path, String(process.oomScoreAdj));
  }
  if (options.cpus) emitAffinity(ctx, options.cpus);
  // What is in the caller's session keyring is not for containers. There may be too many keyrings to get another.
  ctx.may("keyctl", [KEYCTL_JOIN_SESSION_KEYRING, 0]);
  ctx.may("setsid", []);
  emitStdio(ctx, options.stdio, process.user.uid);
  for (const limit of process.rlimits ?? []) emitRlimit(ctx, limit);
  if (options.makeCwd) ctx.makeDirectories(process.cwd);
  ctx.must(EXEC_LABELS.chdir, "chdir", [process.cwd]);
  emitIdentity(ctx, process, options);
  if (options.dieWithParent) ctx.may("prctl", [C.PR_SET_PDEATHSIG, C.SIGKILL, 0, 0, 0]);
  ctx.may("close_range", [3, 0xffffffffn, C.CLOSE_RANGE_CLOEXEC]);
  emitExec(ctx, process);
}

function emitAffinity(ctx: InitContext, cpus: string): void {
  const numbers = parseCpuSet(cpus) ?? [];
  const mask = new Uint8Array(8 * Math.ceil((Math.max(0, ...numbers) + 1) / 64));
  for (const number of numbers) mask[number >> 3]! |= 1 << (number & 7);
  const label = `run on the processors ${cpus} only`;
  ctx.must(label, "sched_setaffinity", [0, mask.length, ctx.p.bytes(mask)]);
}

function emitStdio(ctx: InitContext, stdio: Stdio, uid: number): void {
  if (stdio.kind === "terminal") return emitTerminal(ctx, stdio, uid);
  [stdio.stdin, stdio.stdout, stdio.stderr].forEach((fd, target) => {
    ctx.must("set up the standard streams", "dup3", [fd, target, 0]);
  });
}

function emitTerminal(
  ctx: InitContext,
  stdio: Extract<Stdio, { kind: "terminal" }>,
  uid: number,
): void {
  const { p } = ctx;
  const flags = C.O_RDWR | C.O_NOCTTY | C.O_CLOEXEC;
  const label = "open a terminal";
  const master = ctx.must(label, "openat", [C.AT_FDCWD, "/dev/pts/ptmx", flags, 0]);
  ctx.must(label, "ioctl", [master, C.TIOCSPTLCK, p.buffer(8)]);
  const slave = ctx.must(label, "ioctl", [master, C.TIOCGPTPEER, flags]);
  const { rows, columns } = stdio.size;
  if (rows > 0 && columns > 0) {
    const winsize = p.bytes(new Uint8Array(new Uint16Array([rows, columns, 0, 0]).buffer));
    ctx.may("ioctl", [slave, C.TIOCSWINSZ, winsize]);
  }
  ctx.may("fchown", [slave, uid, -1]);
  if (stdio.console) {
    ctx.makeFile("/dev/console");
    ctx.may("mount", ["/dev/pts/0", "/dev/console", 0, C.MS_BIND, 0]);
  }
  const control = p.bytes(encodeFdMessage());
  p.store("u32", p.after(control, CMSG_FD_AT), master);
  ctx.must("hand the terminal over", "sendmsg", [
    stdio.socket,
    fdMessage(ctx, control),
    C.MSG_NOSIGNAL,
  ]);
  p.call("close", [master]);
  p.call("close", [stdio.socket]);
  ctx.must("make the terminal the controlling one", "ioctl", [slave, C.TIOCSCTTY, 0]);
  // The slave may itself be one of 0, 1, 2, and dup3(2) refuses to copy a descriptor onto itself.
  const copy = ctx.must("set up the standard streams", "fcntl", [slave, C.F_DUPFD_CLOEXEC, 3]);
  for (const target of [0, 1, 2]) {
    ctx.must("set up the standard streams", "dup3", [copy, target, 0]);
  }
}

/** A `struct msghdr` of one byte and a control message. */
function fdMessage(ctx: InitContext, control: Address): Address {
  const { p } = ctx;
  const iov = p.words([p.bytes(new Uint8Array([1])), 1]);
  return p.words([0, 0, iov, 1, control, 24, 0].slice(0, MSGHDR_SIZE / 8));
}

function emitRlimit(ctx: InitContext, limit: Rlimit): void {
  const resource = RLIMITS[limit.type];
  if (resource === undefined) throw new TypeError(`Unknown resource limit "${limit.type}"`);
  const value = (n: number) => n < 0 ? -1n : BigInt(n);
  const pair = ctx.p.words([value(limit.soft), value(limit.hard)]);
  const label = `set ${limit.type} to ${limit.soft}:${limit.hard}`;
  ctx.must(label, "prlimit64", [0, resource, pair, 0]);
}

function emitIdentity(ctx: InitContext, process: Process, options: ProcessOptions): void {
  const { apparmorProfile: profile } = process;
  if (profile !== undefined) {
    const label = `enter the AppArmor profile ${profile}`;
    ctx.writeFile(label, "/proc/self/attr/apparmor/exec", `exec ${profile}`);
  }
  const sets = process.capabilities ?? {};
  emitDropBounding(ctx, capabilityMask(sets.bounding ?? []));
  // A filter needs CAP_SYS_ADMIN or no_new_privs: without the latter it goes in before capabilities are dropped.
  if (!process.noNewPrivileges) emitSeccomp(ctx, options);
  emitUser(ctx, process, options.singleId);
  const permitted = capabilityMask(sets.permitted ?? []);
  const effective = capabilityMask(sets.effective ?? []);
  const inheritable = capabilityMask(sets.inheritable ?? []);
  ctx.must("set the capabilities", "capset", [
    ctx.p.words([C.LINUX_CAPABILITY_VERSION_3]),
    ctx.p.words([
      pack(effective, permitted, 0n),
      pack(inheritable, effective, 0n, 32n),
      pack(permitted, inheritable, 32n),
    ]),
  ]);
  ctx.may("prctl", [C.PR_CAP_AMBIENT, C.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0]);
  for (const name of sets.ambient ?? []) {
    ctx.must(`raise ${name} into the ambient set`, "prctl", [
      C.PR_CAP_AMBIENT,
      C.PR_CAP_AMBIENT_RAISE,
      capabilityNumber(name),
      0,
      0,
    ]);
  }
  if (process.noNewPrivileges) {
    ctx.must("set no_new_privs", "prctl", [C.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
    emitSeccomp(ctx, options);
  }
}

/** Drops what is not in `kept` from the bounding set; the kernel refuses numbers it does not know, which is fine. */
function emitDropBounding(ctx: InitContext, kept: bigint): void {
  const { p } = ctx;
  const number = p.variable(0);
  const again = p.here("the next capability");
  const keep = p.label("keep this capability");
  p.jumpIf(p.compute(kept, ">>", number), "&", 1, keep);
  ctx.may("prctl", [C.PR_CAPBSET_DROP, number, 0, 0, 0]);
  p.place(keep);
  p.set(number, p.compute(number, "+", 1));
  p.jumpIf(number, "<", LAST_POSSIBLE_CAPABILITY + 1, again);
}

/** Two 32-bit words as one of 64: the low one of `low`, then one of `high`. */
function pack(low: bigint, high: bigint, lowShift: bigint, highShift = lowShift): bigint {
  const word = (mask: bigint, shift: bigint) => mask >> shift & 0xffffffffn;
  return word(low, lowShift) | word(high, highShift) << 32n;
}

function emitUser(ctx: InitContext, process: Process, singleId: boolean): void {
  const { uid, gid, additionalGids = [], umask = 0o022 } = process.user;
  ctx.may("prctl", [C.PR_SET_KEEPCAPS, 1, 0, 0, 0]);
  if (!singleId) {
    const groups = ctx.p.bytes(new Uint8Array(new Uint32Array(additionalGids).buffer));
    ctx.must("set the supplementary groups", "setgroups", [additionalGids.length, groups]);
  }
  if (!singleId) {
    ctx.must(`become group ${gid}`, "setresgid", [gid, gid, gid]);
    ctx.must(`become user ${uid}`, "setresuid", [uid, uid, uid]);
  } else if (uid !== 0) {
    // There is nobody else to become; but what is executed gets no capabilities, as it would not as that user.
    ctx.must("give up root's powers", "prctl", [PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0]);
  }
  ctx.may("umask", [umask]);
}

function emitSeccomp(ctx: InitContext, { seccomp: filter, asks }: ProcessOptions): void {
  if (filter === undefined || filter.length === 0) return;
  const { p } = ctx;
  const program = p.words([filter.length / 8, p.bytes(filter)]); // struct sock_fprog
  const flags = asks === undefined ? 0 : SECCOMP_FILTER_FLAG_NEW_LISTENER;
  const args = [C.SECCOMP_SET_MODE_FILTER, flags, program];
  const listener = ctx.must("load the seccomp filter", "seccomp", args);
  if (asks === undefined) return;
  const control = p.bytes(encodeFdMessage());
  p.store("u32", p.after(control, CMSG_FD_AT), listener);
  const message = fdMessage(ctx, control);
  ctx.must("hand the filter's listener over", "sendmsg", [asks, message, C.MSG_NOSIGNAL]);
  p.call("close", [listener]);
  p.call("close", [asks]);
}

const F_OK = 0, X_OK = 1;

function emitExec(ctx: InitContext, process: Process): void {
  const { p } = ctx;
  const argv = p.strings(process.args);
  const envp = p.strings(process.env);
  const command = process.args[0] ?? "";
  resetSignals(p);
  if (command.includes("/")) {
    ctx.must(EXEC_LABELS.find, "faccessat", [C.AT_FDCWD, command, F_OK]);
    ctx.must(EXEC_LABELS.access, "faccessat", [C.AT_FDCWD, command, X_OK]);
    ctx.must(EXEC_LABELS.exec, "execve", [command, argv, envp]);
    return;
  }
  const path = process.env.find((entry) => entry.startsWith("PATH="))?.slice(5) ?? "";
  for (const directory of path.split(":").filter((entry) => entry.startsWith("/"))) {
    const next = p.label("the next directory");
    const candidate = `${directory}/${command}`;
    const found = ctx.may("faccessat", [C.AT_FDCWD, candidate, X_OK]);
    p.jumpIf(found, "<", 0, next);
    ctx.must(EXEC_LABELS.exec, "execve", [candidate, argv, envp]);
    p.place(next);
  }
  ctx.must(EXEC_LABELS.find, "faccessat", [C.AT_FDCWD, "", F_OK]);
}
