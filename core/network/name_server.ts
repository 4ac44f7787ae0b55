/**
 * Starting the name server of user-defined networks: one process a user, there with the first such network in use and
 * gone with the last.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { open } from "../../ffi/fd.ts";
import { encodeInetAddress } from "../../ffi/inet_socket.ts";
import { tryLock } from "../../ffi/lock.ts";
import { processStartTime } from "../../ffi/process.ts";
import { ProgramBuilder, type Value } from "../../ffi/program/builder.ts";
import { closeAllBut, resetSignals } from "../../ffi/program/fragments.ts";
import { spawnOrphan } from "../../ffi/program/spawn.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { selfCommand, selfEnvironment } from "../host/self.ts";
import { sleep } from "../host/sleep.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import { NameTable } from "./dns/names.ts";
import { NameServer } from "./dns/server.ts";
import { type Visit, visit } from "./namespace.ts";
import type { Router } from "./router.ts";
import {
  forgetNameServer,
  runningServer,
  type ServerRecord,
  writeServer,
} from "./name_server_record.ts";
import { readRouter } from "./router_record.ts";

const DNS_PORT = 53;
const SO_REUSEADDR = 2;
const BACKLOG = 128;
/** How long the server outlives its last user, in milliseconds. */
const LINGER_MS = 10_000;

/**
 * Starts the name server unless it runs. Once this has returned it can be asked: what comes before it listens waits in its
 * sockets.
 */
export async function ensureNameServer(
  paths: StorePaths,
  namespace: UserNamespace,
  router: Router,
): Promise<void> {
  const routerPid = router.record.pid;
  if (runningServer(paths, routerPid) !== undefined) return;
  using lock = open(`${paths.runtime}/names.lock`, C.O_RDWR | C.O_CREAT);
  while (!tryLock(lock)) await sleep(2);
  if (runningServer(paths, routerPid) !== undefined) return;
  const sockets = visit((there) => {
    there.enter(namespace.fd.number, C.CLONE_NEWUSER, "enter the user namespace");
    there.enter(router.netns.number, C.CLONE_NEWNET, "enter the router's network namespace");
    return [emitListen(there, C.SOCK_DGRAM), emitListen(there, C.SOCK_STREAM)];
  });
  try {
    const [datagram, stream] = sockets.map(({ number }) => number) as [number, number];
    const pid = spawnServer(paths, [datagram, stream]);
    const record: ServerRecord = { pid, startTime: processStartTime(pid) ?? 0, routerPid };
    writeServer(paths, record);
  } finally {
    for (const socket of sockets) socket.close();
  }
}

/** A socket at all gateways' addresses, those of networks to come as well. */
function emitListen({ p, fail }: Visit, type: number): Value {
  const label = "listen for names";
  const orElse = { orElse: fail, label };
  const on = p.words([1]);
  const address = encodeInetAddress({ address: new Uint8Array(4), port: DNS_PORT });
  const flags = type | C.SOCK_CLOEXEC | C.SOCK_NONBLOCK;
  const fd = p.call("socket", [C.AF_INET, flags, 0], orElse);
  p.call("setsockopt", [fd, C.SOL_SOCKET, SO_REUSEADDR, on, 4]);
  p.call("bind", [fd, p.bytes(address), address.length], orElse);
  if (type === C.SOCK_STREAM) p.call("listen", [fd, BACKLOG], orElse);
  return fd;
}

function spawnServer(paths: StorePaths, sockets: [number, number]): number {
  using devNull = open("/dev/null", C.O_RDWR);
  const args = [paths.root, ...sockets.map(String)];
  const command = selfCommand("__dns", args, "small");
  const p = new ProgramBuilder();
  p.call("setsid", []);
  p.call("chdir", ["/"]);
  closeAllBut(p, [...sockets, devNull.number]);
  for (const fd of [0, 1, 2]) p.call("dup3", [devNull.number, fd, 0]);
  p.call("close", [devNull.number]);
  resetSignals(p);
  p.call("execve", [command[0]!, p.strings(command), p.strings(selfEnvironment())]);
  p.exit(127);
  const { pid } = spawnOrphan(p.build(), "dhow-names", [...sockets, devNull.number]);
  if (pid > 0) return pid;
  throw new DhowError("unavailable", `Cannot start the name server (errno ${-pid})`);
}

/** The name server's whole life. @param sockets For datagrams, for connections. */
export async function runNameServer(
  paths: StorePaths,
  [datagram, stream]: [number, number],
): Promise<void> {
  const names = new NameTable(paths);
  const server = new NameServer(names, { datagrams: [datagram], streams: [stream] });
  let usedAt = Date.now();
  await server.serve(() => {
    const now = Date.now();
    const isOurs = ownRecord(paths);
    if (isOurs && names.size > 0) usedAt = now;
    return now - usedAt > LINGER_MS && leave(paths, names);
  });
}

/** Whether we are the server, of the router that is there. */
function ownRecord(paths: StorePaths): boolean {
  const router = readRouter(paths);
  return router !== undefined && runningServer(paths, router.pid)?.pid === Deno.pid;
}

/** Steps back, unless somebody needs us after all. */
function leave(paths: StorePaths, names: NameTable): boolean {
  try {
    using lock = open(`${paths.runtime}/names.lock`, C.O_RDWR | C.O_CREAT);
    if (!tryLock(lock)) return false;
    if (!ownRecord(paths)) return true;
    if (names.size > 0) return false;
    forgetNameServer(paths);
  } catch { /* the runtime directory is gone, and so are all who could ask */ }
  return true;
}
