/**
 * From an OCI runtime spec to a running container: builds one syscall program for monitor and init, runs it, and says
 * how the start went (DESIGN 3).
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { type Fd, pipe, pollAsync, read } from "../../ffi/fd.ts";
import { type Label, type Program, ProgramBuilder, type Value } from "../../ffi/program/builder.ts";
import {
  closeAllBut,
  decodeFailure,
  failedOp,
  type Fixup,
  forkOrphan,
  keepOnlyOwnMemory,
  nameProcess,
  reportFailure,
} from "../../ffi/program/fragments.ts";
import { LoadedProgram } from "../../ffi/program/loader.ts";
import { spawnOrphan } from "../../ffi/program/spawn.ts";
import { CMSG_FD_AT, CMSG_ONE_FD_SIZE } from "../../ffi/socket.ts";
import type { Namespace, Spec } from "../spec/runtime.ts";
import { InitContext } from "./init_context.ts";
import { emitProcess, type ProcessOptions } from "./init_process.ts";
import { emitRootfs, type Rootfs } from "./init_rootfs.ts";
import { emitGroup, emitJoin, type Joiner, joins } from "./launch_join.ts";
import { emitMonitor, emitRunRecord, type MonitorOptions } from "./monitor.ts";
import { RUN_EXIT_AT } from "./run_record.ts";
import { startError } from "./start_error.ts";

/** Everything a start needs. All descriptors are close-on-exec and above 2. */
export interface LaunchPlan {
  spec: Spec;
  rootfs: Rootfs;
  /** The monitor's working directory. */
  containerDirectory: string;
  /** The user namespace to enter first. */
  userNamespace: number;
  /** The container's own user namespace, below that one; entered when all others are joined. */
  ownNamespace?: number;
  /** Namespaces to join, opened: another container's, or a network namespace made for this one. */
  join: { type: Namespace["type"]; fd: number }[];
  process: ProcessOptions;
  /** The control group that init is born in. */
  group?: LaunchGroup;
  /** The monitor's end of the socket a terminal is handed over on; -1 without a terminal. */
  terminal: number;
  monitor: MonitorOptions;
}

/** A container's control group: open, or still to be made around the monitor. */
export type LaunchGroup =
  | { kind: "open"; fd: number }
  | {
    kind: "around";
    /** The monitor reads the group's path from here before it goes on; nothing means that there is none to be had. */
    path: number;
    /** Makes the group, and writes its path. */
    make(monitorPid: number): Promise<void>;
  };

/** As ps(1) shows it. */
const MONITOR_NAME = "dhow-monitor";

/** Pipes that tell how a start went; each end of each is in our hands while the program is built and run. */
export interface LaunchPipes {
  /** Writing end: what failed. Closed by the monitor and by init's exec. */
  status: number;
  /** Init's failure, or its exec by closing; for the monitor. */
  started: { read: number; write: number };
}

/** How a monitor comes to be: executed from memory, or, where the kernel does not allow that, as a fork of us. */
export type MonitorKind = "executed" | "forked";

/** A program ready to run. */
export interface BuiltLaunch {
  program: Program;
  /** The descriptors the monitor gets. */
  kept: number[];
  /** What to do to the loaded program of a forked one. */
  fixup?: Fixup;
}

/** Builds the program of a start. Pure: nothing happens before it is run. */
export function buildLaunch(plan: LaunchPlan, pipes: LaunchPipes, kind: MonitorKind): BuiltLaunch {
  const p = new ProgramBuilder();
  const join = p.label("enter namespaces");
  const init = p.label("init");
  const fail = p.label("failed");
  const kept = keptFds(plan, pipes);
  let fixup: Fixup | undefined;
  if (kind === "forked") {
    const monitor = p.label("monitor");
    p.return(forkOrphan(p, monitor));
    p.place(monitor);
    closeAllBut(p, kept);
    fixup = keepOnlyOwnMemory(p);
  } else {
    closeAllBut(p, kept);
    for (const fd of new Set(kept)) p.call("fcntl", [fd, C.F_SETFD, C.FD_CLOEXEC]);
  }
  p.call("setsid", []);
  nameProcess(p, MONITOR_NAME);
  p.call("chdir", [plan.containerDirectory]);
  const pid = p.variable(0), mounts = p.variable(-1);
  const leave = p.label("no container");
  const group = plan.group && emitGroup(p, plan.group, leave, fail);
  const joiner = { pid, mounts, group, fail };
  emitMonitorBody(p, plan, pipes, { ...joiner, join, leave });

  p.place(join);
  emitJoin(p, plan, { ...joiner, init });
  reportFailure(p, fail, [pipes.status, pipes.started.write], 125);

  p.place(init);
  emitInit(p, plan, fail, Math.max(...kept) + 8);
  p.jump(fail);
  return { program: p.build(), kept, ...fixup && { fixup } };
}

function keptFds(plan: LaunchPlan, { status, started }: LaunchPipes): number[] {
  const { fds } = plan.monitor;
  const stdio = plan.process.stdio;
  const streams = stdio.kind === "fds"
    ? [stdio.stdin, stdio.stdout, stdio.stderr]
    : [stdio.socket, plan.terminal];
  return [
    status,
    started.read,
    started.write,
    ...onlyForInit(plan),
    ...Object.values(fds),
    ...streams,
    plan.process.asks ?? -1,
    plan.group === undefined ? -1 : plan.group.kind === "open" ? plan.group.fd : plan.group.path,
  ]
    .filter((fd) => fd >= 0);
}

/** What the monitor lets go of once init has been cloned. */
function onlyForInit({ userNamespace, ownNamespace, join, rootfs }: LaunchPlan): number[] {
  return [userNamespace, ownNamespace, rootfs.tree, ...join.map(({ fd }) => fd)]
    .filter((fd) => fd !== undefined);
}

function emitMonitorBody(
  p: ProgramBuilder,
  plan: LaunchPlan,
  { status, started }: LaunchPipes,
  { pid, mounts, group, join, leave, fail }: Joiner & { join: Label; leave: Label },
): void {
  const record = emitRunRecord(p);
  // Shares memory and descriptors, so that init's pid arrives in `pid`; this process sleeps until the other has left.
  const flags = C.CLONE_VM | C.CLONE_VFORK | C.CLONE_FILES | C.SIGCHLD;
  const joiner = p.clone(flags, join, { orElse: fail, label: "fork" });
  p.call("wait4", [joiner, 0, 0, 0]);
  p.jumpIf(pid, "<", 1, leave);
  const pidfd = p.call("pidfd_open", [pid, 0], { orElse: fail, label: "watch init" });
  p.call("close", [started.write]);
  const master = emitCloseInitSide(p, plan);
  // Nothing to read means that init's exec has closed the other end. Else it has failed, and there was no run.
  p.jumpIf(p.call("read", [started.read, p.buffer(8), 1]), "!=", 0, leave);
  p.call("close", [started.read]);
  p.store("u64", p.after(record, 8), p.call("getpid", []));
  p.store("u64", p.after(record, 16), pid);
  p.call("clock_gettime", [C.CLOCK_REALTIME, p.after(record, 24)]);
  p.call("pwrite64", [plan.monitor.fds.run, record, RUN_EXIT_AT, 0]);
  p.call("renameat2", [C.AT_FDCWD, "run.new", C.AT_FDCWD, "run", 0]);
  p.call("close", [status]);
  emitMonitor(p, plan.monitor, { pid, pidfd, mounts, group, record }, master);
  p.place(leave);
  p.exit(1);
}

/** Closes what only init needed; receives the terminal. */
function emitCloseInitSide(
  p: ProgramBuilder,
  plan: LaunchPlan,
): Value | undefined {
  for (const fd of onlyForInit(plan)) p.call("close", [fd]);
  if (plan.process.asks !== undefined) p.call("close", [plan.process.asks]);
  const { stdio } = plan.process;
  if (stdio.kind === "fds") {
    for (const fd of new Set([stdio.stdin, stdio.stdout, stdio.stderr])) {
      if (fd !== plan.monitor.fds.devNull) p.call("close", [fd]);
    }
    return undefined;
  }
  p.call("close", [stdio.socket]);
  const control = p.buffer(CMSG_ONE_FD_SIZE);
  const iov = p.words([p.buffer(8), 1]);
  const header = p.words([0, 0, iov, 1, control, CMSG_ONE_FD_SIZE, 0]);
  const master = p.variable(-1);
  const nothing = p.label("no terminal");
  p.jumpIf(
    p.call("recvmsg", [plan.terminal, header, C.MSG_CMSG_CLOEXEC]),
    "<",
    1,
    nothing,
  );
  p.set(master, p.load("i32", p.after(control, CMSG_FD_AT)));
  p.place(nothing);
  p.call("close", [plan.terminal]);
  return master;
}

function emitInit(
  p: ProgramBuilder,
  plan: LaunchPlan,
  fail: Label,
  firstFd: number,
): void {
  const ctx = new InitContext(p, fail);
  const { spec } = plan;
  ctx.may("prctl", [C.PR_SET_PDEATHSIG, C.SIGKILL, 0, 0, 0]);
  // Made by clone, the namespace's root would be the group of who cloned.
  if (plan.group !== undefined && owns(spec, "cgroup")) {
    ctx.must("create the cgroup namespace", "unshare", [C.CLONE_NEWCGROUP]);
  }
  if (!owns(spec, "pid")) ctx.may("prctl", [C.PR_SET_DUMPABLE, 0, 0, 0, 0]);
  if (owns(spec, "network") && !joins(plan.join, "network")) emitLoopback(ctx);
  if (owns(spec, "uts")) emitHostname(ctx, spec);
  emitRootfs(ctx, spec, plan.rootfs, firstFd);
  emitProcess(ctx, spec.process, plan.process);
}

function owns(spec: Spec, type: Namespace["type"]): boolean {
  return spec.linux.namespaces.some((ns) => ns.type === type && ns.path === undefined);
}

function emitHostname(ctx: InitContext, spec: Spec): void {
  const length = (text: string) => new TextEncoder().encode(text).length;
  const { hostname, domainname } = spec;
  // A container around us may not let us; then the name is in /etc/hostname only.
  if (hostname) ctx.may("sethostname", [hostname, length(hostname)]);
  if (domainname) ctx.may("setdomainname", [domainname, length(domainname)]);
}

/** Brings `lo` up: a socket and one ioctl on a `struct ifreq` (name, then flags at 16). */
function emitLoopback(ctx: InitContext): void {
  const { p } = ctx;
  const IFF_UP = 1;
  const ifreq = new Uint8Array(40);
  ifreq.set(new TextEncoder().encode("lo"));
  ifreq[16] = IFF_UP;
  const label = "bring the loopback interface up";
  const socket = ctx.must(label, "socket", [C.AF_INET, C.SOCK_DGRAM | C.SOCK_CLOEXEC, 0]);
  ctx.must(label, "ioctl", [socket, C.SIOCSIFFLAGS, p.bytes(ifreq)]);
  p.call("close", [socket]);
}

/**
 * Runs the program of a start and waits until the container's command is executed.
 *
 * @param meanwhile Done while the kernel makes the container.
 * @returns The monitor's pid.
 * @throws {DhowError} `command_not_found`, `command_not_executable` or `start_failed`; nothing of the start is left then.
 */
export async function launch(
  plan: LaunchPlan,
  meanwhile?: () => void,
): Promise<{ monitorPid: number }> {
  const status = pipe(), started = pipe();
  using _read = status.read;
  using _write = status.write;
  using _startedRead = started.read;
  using _startedWrite = started.write;
  const numbers = {
    status: status.write.number,
    started: { read: started.read.number, write: started.write.number },
  };
  const run = runMonitor(plan, numbers);
  status.write.close();
  started.write.close();
  using _program = run;
  if (run.pid < 0) {
    throw startError({ label: "fork", syscall: "clone", errno: -run.pid }, plan.spec);
  }
  if (plan.group?.kind === "around") await plan.group.make(run.pid);
  meanwhile?.();
  const failure = decodeFailure(run, await readToEnd(status.read));
  if (failure !== undefined) {
    const { label = "", syscall = "clone" } = failedOp(run.program, failure);
    throw startError({ label, syscall, errno: failure.errno }, plan.spec);
  }
  return { monitorPid: run.pid };
}

/** A monitor on its way. */
interface MonitorRun extends Disposable {
  pid: number;
  program: Program;
  opAt(address: bigint): number;
}

function runMonitor(plan: LaunchPlan, pipes: LaunchPipes): MonitorRun {
  const { program, kept } = buildLaunch(plan, pipes, "executed");
  const { pid, opAt } = spawnOrphan(program, MONITOR_NAME, kept);
  if (pid >= 0) return { pid, program, opAt, [Symbol.dispose]: () => {} };
  // vm.memfd_noexec, or a security module, may forbid it.
  const forked = buildLaunch(plan, pipes, "forked");
  const loaded = new LoadedProgram(forked.program);
  forked.fixup?.(loaded);
  return {
    pid: loaded.run(),
    program: forked.program,
    opAt: (address) => loaded.opAt(address),
    [Symbol.dispose]: () => loaded[Symbol.dispose](),
  };
}

async function readToEnd(fd: Fd): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(64);
  let length = 0;
  for (;;) {
    await pollAsync([{ fd: fd.number, events: C.POLLIN }]);
    const n = read(fd.number, bytes.subarray(length));
    if (n <= 0) return bytes.slice(0, length);
    length += n;
  }
}
