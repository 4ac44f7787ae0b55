/**
 * The router namespace: where all bridge networks of a user are, and the way out. A tiny process holds it open, starts the
 * uplink in it, and starts that again when it dies (DESIGN 6).
 *
 * It lives while somebody holds the write end of `router.fifo`, and a minute after; everything in it can be made again.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { Fd, open, openIfThere } from "../../ffi/fd.ts";
import { mkfifo } from "../../ffi/fifo.ts";
import { tryLock } from "../../ffi/lock.ts";
import { hasDefaultRoute, linkUp } from "../../ffi/netlink/route.ts";
import { NetlinkSocket } from "../../ffi/netlink/socket.ts";
import { processStartTime } from "../../ffi/process.ts";
import {
  type Address,
  type Program,
  ProgramBuilder,
  type Value,
} from "../../ffi/program/builder.ts";
import { closeAllBut, nameProcess, resetSignals } from "../../ffi/program/fragments.ts";
import { spawnOrphan } from "../../ffi/program/spawn.ts";
import { DhowError } from "../errors.ts";
import { ensureRuntimeDirectory, type StorePaths } from "../host/paths.ts";
import { removeIfThere } from "../host/remove_if_there.ts";
import { sleep } from "../host/sleep.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import { makeFirewall } from "./firewall.ts";
import { visit } from "./namespace.ts";
import { readRouter, type RouterRecord, writeRouter } from "./router_record.ts";
import { ANCHOR, chooseUplink, type Uplink } from "./uplink.ts";

/** How long the router outlives its last user, in seconds. */
const LINGER_SECONDS = 60;
/** How long the uplink may take to set itself up. */
const UPLINK_TIMEOUT_MS = 5000;
/** How long after its end the uplink is started again. */
const RESTART_NS = 100_000_000;
const ROUTER_NAME = "dhow-router";

/** A hold on the router: while it is not disposed the router stays. */
export interface Router extends Disposable {
  readonly record: RouterRecord;
  /** The network namespace, for setns(2). */
  readonly netns: Fd;
  /** To be kept open by whoever keeps using the router. */
  readonly alive: Fd;
  /** Whether it was made just now: nothing is in it. */
  readonly isNew: boolean;
}

/** Settings of the router namespace. */
const SYSCTLS = {
  "net.ipv4.ip_forward": "1",
  "net.ipv6.conf.all.forwarding": "1",
  "net.ipv6.conf.default.forwarding": "1",
  "net.ipv4.conf.all.rp_filter": "0",
  "net.ipv4.conf.default.rp_filter": "0",
  // pasta of 2023 answers with numbers that a strict eye finds outside the window.
  "net.netfilter.nf_conntrack_tcp_be_liberal": "1",
  // The bridge ports of a network come and go: what was learned of them goes at once.
  "net.ipv4.neigh.default.gc_thresh3": "16384",
};

/** Takes a hold on the router if there is one. */
export function openRouter(paths: StorePaths, holderPid: number): Router | undefined {
  const record = readRouter(paths);
  if (record === undefined || record.holderPid !== holderPid) return undefined;
  // First the FIFO: a router that was about to leave has left by now, or sees us and stays.
  const alive = openIfThere(`${paths.runtime}/router.fifo`, C.O_WRONLY | C.O_NONBLOCK);
  if (alive === undefined) return undefined;
  const netns = openIfThere(`/proc/${record.pid}/fd/${record.netns}`, C.O_RDONLY);
  if (netns === undefined || processStartTime(record.pid) !== record.startTime) {
    alive.close();
    netns?.close();
    return undefined;
  }
  return hold(record, netns, alive, false);
}

/**
 * Takes a hold on the router, starting it if there is none.
 *
 * @throws {DhowError} `unsupported` if no uplink is installed.
 */
export async function ensureRouter(
  paths: StorePaths,
  namespace: UserNamespace,
): Promise<Router> {
  const there = openRouter(paths, namespace.holderPid);
  if (there !== undefined) return there;
  ensureRuntimeDirectory(paths);
  using lock = open(`${paths.runtime}/router.lock`, C.O_RDWR | C.O_CREAT);
  while (!tryLock(lock)) await sleep(2);
  return openRouter(paths, namespace.holderPid) ?? await startRouter(paths, namespace);
}

function hold(record: RouterRecord, netns: Fd, alive: Fd, isNew: boolean): Router {
  return {
    record,
    netns,
    alive,
    isNew,
    [Symbol.dispose]() {
      netns.close();
      alive.close();
    },
  };
}

async function startRouter(paths: StorePaths, namespace: UserNamespace): Promise<Router> {
  const fifo = `${paths.runtime}/router.fifo`;
  const pidFile = `${paths.runtime}/uplink.pid`;
  endOrphan(pidFile);
  removeIfThere(fifo);
  mkfifo(fifo, 0o600);
  using watched = open(fifo, C.O_RDONLY | C.O_NONBLOCK);
  const alive = open(fifo, C.O_WRONLY | C.O_NONBLOCK);
  let netns: Fd | undefined;
  try {
    const [made, socket] = visit((there) => {
      there.enter(namespace.fd.number, C.CLONE_NEWUSER, "enter the user namespace");
      const created = there.makeNetwork();
      for (const [name, value] of Object.entries(SYSCTLS)) there.writeSysctl(name, value);
      return [created, there.openNetlink()];
    });
    netns = made!;
    using link = new NetlinkSocket(socket!);
    link.request(linkUp("lo"));
    const hostLoopback = Deno.env.get("DHOW_HOST_LOOPBACK") === "1";
    const descriptors = { userns: namespace.fd.number, netns: netns.number };
    const uplink = await chooseUplink({ hostLoopback, pidFile });
    const pid = spawnRouter({ ...descriptors, watched: watched.number }, uplink);
    const { kind, address, gateway, nameServer } = uplink;
    const record: RouterRecord = {
      ...{ kind, address, gateway, hostLoopback, pid },
      ...nameServer !== undefined && { nameServer },
      startTime: processStartTime(pid) ?? 0,
      holderPid: namespace.holderPid,
      netns: netns.number,
    };
    await makeFirewall(namespace, netns.number);
    await untilUp(link, uplink);
    writeRouter(paths, record);
    return hold(record, netns, alive, true);
  } catch (error) {
    netns?.close();
    alive.close(); // the router sees that nobody uses it, and leaves
    throw error;
  }
}

async function untilUp(link: NetlinkSocket, uplink: Uplink): Promise<void> {
  const until = Date.now() + UPLINK_TIMEOUT_MS;
  while (!hasDefaultRoute(link)) {
    if (Date.now() > until) {
      throw new DhowError(
        "unavailable",
        `Cannot connect containers to the network: ${uplink.kind} does not come up; to see why run: ${
          uplink.command.join(" ")
        }`,
      );
    }
    await sleep(1);
  }
}

/** Ends an uplink that has outlived its router. */
function endOrphan(pidFile: string): void {
  try {
    const pid = Number(Deno.readTextFileSync(pidFile));
    const comm = Deno.readTextFileSync(`/proc/${pid}/comm`).trim();
    if (/^(pasta|slirp4netns)/.test(comm)) Deno.kill(pid, "SIGTERM");
  } catch { /* there is none */ }
}

interface RouterFds {
  userns: number;
  netns: number;
  /** Reading end of the FIFO. */
  watched: number;
}

function spawnRouter(fds: RouterFds, uplink: Uplink): number {
  using devNull = open("/dev/null", C.O_RDWR);
  const kept = [...Object.values(fds), devNull.number];
  const { pid } = spawnOrphan(buildRouter(fds, devNull.number, uplink.command), ROUTER_NAME, kept);
  if (pid >= 0) return pid;
  throw new DhowError("unsupported", `Cannot start the router process (errno ${-pid})`);
}

/** The router's program: keep the namespace, keep the uplink running, leave after the last user. */
export function buildRouter(fds: RouterFds, devNull: number, command: string[]): Program {
  const p = new ProgramBuilder();
  const wait = p.label("wait");
  const restart = p.label("restart the uplink");
  const uplink = p.label("uplink");
  const anchor = p.label("anchor");
  const leave = p.label("leave");
  p.call("setsid", []);
  nameProcess(p, ROUTER_NAME);
  p.call("chdir", ["/"]);
  closeAllBut(p, [...Object.values(fds), devNull]);
  for (const fd of [0, 1, 2]) p.call("dup3", [devNull, fd, 0]);
  p.call("fcntl", [fds.watched, C.F_SETFD, C.FD_CLOEXEC]);
  const polls = p.buffer(16); // the uplink's pidfd, then the FIFO
  const linger = p.words([LINGER_SECONDS, 0]), now = p.words([0, 0]);
  p.store("u32", p.after(polls, 8), fds.watched);
  p.store("u16", p.after(polls, 4), C.POLLIN);

  const pid = p.variable(0), pidfd = p.variable(0), anchorPid = p.variable(0);
  const entered = p.call("eventfd2", [0, C.O_CLOEXEC]);
  const start = p.here("start the uplink");
  p.set(anchorPid, p.clone(C.SIGCHLD, anchor));
  p.call("read", [entered, p.buffer(8), 8]);
  const argv = emitArguments(p, command, anchorPid);
  p.set(pid, p.clone(C.SIGCHLD, uplink));
  p.set(pidfd, p.call("pidfd_open", [pid, 0]));
  p.store("u32", polls, pidfd);
  p.place(wait);
  p.call("ppoll", [polls, 2, 0, 0, 0]);
  p.jumpIf(p.load("u16", p.after(polls, 6)), "!=", 0, restart);
  // Nobody uses it. The uplink may still end before the time is over.
  p.jumpIf(p.call("ppoll", [polls, 1, linger, 0, 0]), ">=", 1, restart);
  p.call("ppoll", [p.after(polls, 8), 1, now, 0, 0]);
  p.jumpIf(p.load("u16", p.after(polls, 14)), "&", C.POLLHUP, leave);
  p.jump(wait);

  p.place(restart);
  p.call("wait4", [pid, 0, 0, 0]);
  p.call("kill", [anchorPid, C.SIGKILL]);
  p.call("wait4", [anchorPid, 0, 0, 0]);
  p.call("close", [pidfd]);
  p.call("nanosleep", [p.words([0, RESTART_NS]), 0]);
  p.jump(start);

  p.place(leave);
  p.call("kill", [pid, C.SIGTERM]);
  p.exit(0);

  // Is in both namespaces, so that who has entered the first can open the second by it.
  p.place(anchor);
  p.call("setns", [fds.userns, C.CLONE_NEWUSER]);
  p.call("setns", [fds.netns, C.CLONE_NEWNET]);
  p.call("prctl", [C.PR_SET_DUMPABLE, 1, 0, 0, 0]);
  p.call("prctl", [C.PR_SET_PDEATHSIG, C.SIGKILL, 0, 0, 0]);
  p.call("write", [entered, p.words([1]), 8]);
  closeAllBut(p, []);
  const forever = p.here("sleep");
  p.call("ppoll", [0, 0, 0, 0, 0]);
  p.jump(forever);

  p.place(uplink);
  resetSignals(p);
  p.call("prctl", [C.PR_SET_PDEATHSIG, C.SIGTERM, 0, 0, 0]);
  const env = p.strings(["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]);
  p.call("execve", [command[0]!, argv, env]);
  p.exit(127);
  return p.build();
}

/** Digits of the largest process id. */
const PID_DIGITS = 10;

/**
 * Arguments in which `/proc/PID/` is made to name process `pid`. As its number is not known before, its digits go into a
 * row of slashes, which count as one.
 */
function emitArguments(p: ProgramBuilder, command: readonly string[], pid: Value): Address {
  const encoder = new TextEncoder(), slashes = "/".repeat(PID_DIGITS);
  const paths: Address[] = [];
  const words = command.map((word) => {
    if (!word.includes(ANCHOR)) return p.string(word);
    const [before, after] = word.split(ANCHOR);
    const address = p.bytes(encoder.encode(`${before}/proc/${slashes}/${after}\0`));
    paths.push(p.after(address, before!.length + "/proc/".length));
    return address;
  });
  const rest = p.variable(0), character = p.variable(0);
  p.set(rest, pid);
  for (let digit = PID_DIGITS - 1; digit >= 0; digit--) {
    const known = p.label("character known");
    p.set(character, "/".charCodeAt(0));
    p.jumpIf(rest, "==", 0, known);
    const tens = p.compute(rest, "/", 10);
    p.set(character, p.compute(p.compute(rest, "-", p.compute(tens, "*", 10)), "+", 48));
    p.set(rest, tens);
    p.place(known);
    for (const path of paths) p.store("u8", p.after(path, digit), character);
  }
  return p.words([...words, 0]);
}
