/**
 * The standard streams of a container that is being started.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { type Fd, open, pipe } from "../../ffi/fd.ts";
import { bindUnix, socketpair, unixSocket } from "../../ffi/socket.ts";
import { ensureRuntimeDirectory, type StorePaths } from "../host/paths.ts";
import { removeIfThere } from "../host/remove_if_there.ts";
import type { Stdio } from "../runtime/init_process.ts";
import type { MonitorOptions } from "../runtime/monitor.ts";
import { monitorSocket } from "./monitor_socket.ts";
import type { ContainerRecord } from "./record.ts";

/** Who reads them. */
export interface StdioOptions {
  /** A foreground dhow, which takes its ends. */
  foreground?: boolean;
  /** Of the terminal. @default What the container was created with. */
  consoleSize?: { rows: number; columns: number };
}

/** The streams between container, monitor and us. */
export interface OpenedStdio {
  stdio: Stdio;
  terminal: number;
  fds: Pick<MonitorOptions["fds"], "stdout" | "stderr" | "stdin" | "control" | "owner" | "devNull">;
  takeStdin(): Fd | undefined;
  takeOwner(): Fd | undefined;
}

/**
 * Opens what `record` says of its streams.
 *
 * @param stack Takes what is opened, but what is taken of it.
 */
export function openStdio(
  paths: StorePaths,
  record: ContainerRecord,
  options: StdioOptions,
  stack: DisposableStack,
): OpenedStdio {
  const { Tty, OpenStdin, StdinOnce } = record.config;
  const devNull = stack.use(open("/dev/null", C.O_RDWR));
  const owner = options.foreground ? pipe() : undefined;
  if (owner !== undefined) stack.use(owner.read);
  const fds = {
    stdout: -1,
    stderr: -1,
    stdin: -1,
    control: Tty || OpenStdin ? stack.use(openControl(paths, record.id)).number : -1,
    owner: owner?.read.number ?? -1,
    devNull: devNull.number,
  };
  let isOwnerTaken = false;
  stack.defer(() => isOwnerTaken || owner?.write.close());
  const takeOwner = () => {
    isOwnerTaken = true;
    return owner?.write;
  };
  if (Tty) {
    const [ours, theirs] = socketpair(C.SOCK_SEQPACKET);
    stack.use(ours);
    stack.use(theirs);
    const size = options.consoleSize ?? consoleSize(record);
    const stdio: Stdio = { kind: "terminal", socket: theirs.number, size, console: true };
    return { stdio, terminal: ours.number, fds, takeStdin: () => undefined, takeOwner };
  }
  const stdout = pipe(), stderr = pipe();
  for (const end of [stdout, stderr]) {
    stack.use(end.read);
    stack.use(end.write);
  }
  fds.stdout = stdout.read.number;
  fds.stderr = stderr.read.number;
  const stdin = OpenStdin ? pipe() : undefined;
  if (stdin !== undefined) stack.use(stdin.read);
  // With StdinOnce the end of the first attachment is the end of input: the monitor keeps no end of its own.
  const isOurs = options.foreground === true && StdinOnce;
  if (stdin !== undefined && !isOurs) fds.stdin = stdin.write.number;
  let given = false;
  if (stdin !== undefined) stack.defer(() => given || stdin.write.close());
  const stdio: Stdio = {
    kind: "fds",
    stdin: stdin?.read.number ?? devNull.number,
    stdout: stdout.write.number,
    stderr: stderr.write.number,
  };
  const takeStdin = () => {
    if (stdin === undefined || !options.foreground) return undefined;
    given = true;
    return stdin.write;
  };
  return { stdio, terminal: -1, fds, takeStdin, takeOwner };
}

function consoleSize({ hostConfig }: ContainerRecord): { rows: number; columns: number } {
  const [rows, columns] = hostConfig.ConsoleSize;
  return { rows, columns };
}

function openControl(paths: StorePaths, id: string): Fd {
  ensureRuntimeDirectory(paths);
  const path = monitorSocket(paths, id);
  removeIfThere(path);
  const socket = unixSocket(C.SOCK_DGRAM);
  bindUnix(socket, path);
  return socket;
}
