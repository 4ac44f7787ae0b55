/**
 * Running dhow's own verbs as root of the containers' user namespace, where files of every mapped owner can be written:
 * unpacking, removing trees, copying.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { Fd, open, pipe, pollAsync, read } from "../../ffi/fd.ts";
import { pidfdExited, pidfdOpen, waitpid, type WaitStatus } from "../../ffi/process.ts";
import { ProgramBuilder } from "../../ffi/program/builder.ts";
import { resetSignals, withSignalsBlocked } from "../../ffi/program/fragments.ts";
import { LoadedProgram } from "../../ffi/program/loader.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { selfCommand, selfEnvironment } from "../host/self.ts";
import type { UserNamespace } from "./userns.ts";

/** What a process inside is given. */
export interface InsideOptions {
  /** Descriptor for its stdin. @default /dev/null */
  stdin?: number;
  /** Descriptor for its stdout. @default a pipe whose content is returned */
  stdout?: number;
  /** Descriptor for its stderr. @default ours */
  stderr?: number;
  /** As `selfCommand()`. @default "fast" */
  memory?: "fast" | "small";
  /** Namespaces to enter besides the user namespace: a container's, from its init. */
  enter?: { fd: number; flags: number };
  signal?: AbortSignal;
}

/** A process inside that has been started. */
export interface InsideProcess {
  pid: number;
  /** Resolves when it has ended; it is reaped then. */
  ended: Promise<WaitStatus>;
}

/** Starts `dhow VERB ARGS` inside. It dies with this process. */
export function startInside(
  namespace: UserNamespace,
  verb: string,
  args: readonly string[],
  options: InsideOptions & { stdin: number; stdout: number; stderr: number },
): InsideProcess {
  return startCommandInside(namespace, selfCommand(verb, args, options.memory), options);
}

/** Starts a program by its path inside. It dies with this process. */
export function startCommandInside(
  namespace: UserNamespace,
  command: readonly string[],
  options: InsideOptions & { stdin: number; stdout: number; stderr: number },
): InsideProcess {
  const p = new ProgramBuilder();
  const child = p.label("child");
  const fail = p.label("failed");
  const result = p.variable(0);
  withSignalsBlocked(p, () => {
    const over = p.label("started");
    const flags = C.CLONE_VM | C.CLONE_VFORK | C.SIGCHLD;
    const pid = p.clone(flags, child, { label: "fork" });
    p.set(result, pid);
    p.jump(over);
    p.place(child);
    p.call("setns", [namespace.fd.number, C.CLONE_NEWUSER], {
      orElse: fail,
      label: "enter the user namespace",
    });
    if (options.enter !== undefined) {
      p.call("setns", [options.enter.fd, options.enter.flags], {
        orElse: fail,
        label: "enter the container",
      });
    }
    // Above 2 first, so that none overwrites another.
    const streams = [options.stdin, options.stdout, options.stderr];
    const copies = streams.map((fd) =>
      p.call("fcntl", [fd, 0, 10], { orElse: fail, label: "dup" })
    );
    copies.forEach((fd, target) => p.call("dup3", [fd, target, 0], { orElse: fail, label: "dup" }));
    p.call("close_range", [3, 0xffffffffn, C.CLOSE_RANGE_CLOEXEC]);
    p.call("prctl", [C.PR_SET_PDEATHSIG, C.SIGKILL, 0, 0, 0]);
    resetSignals(p);
    const argv = p.strings(command), envp = p.strings(selfEnvironment());
    p.call("execve", [command[0]!, argv, envp], { orElse: fail, label: `execute ${command[0]}` });
    p.place(fail);
    p.exit(127);
    p.place(over);
  });
  p.return(result);
  const program = p.build();
  using loaded = new LoadedProgram(program);
  const pid = loaded.run();
  const failed = loaded.word(p.failedOp);
  if (failed !== 0n) {
    const index = loaded.opAt(failed);
    const op = program.ops[index]!;
    if (pid > 0) waitpid(pid);
    throw new SyscallError(op.syscall ?? "clone", -loaded.result(index), op.label);
  }
  return { pid, ended: reap(pid, options.signal) };
}

async function reap(pid: number, signal?: AbortSignal): Promise<WaitStatus> {
  using pidfd = pidfdOpen(pid);
  const kill = () => {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch { /* it has ended */ }
  };
  signal?.addEventListener("abort", kill);
  if (pidfd !== undefined) await pidfdExited(pidfd);
  signal?.removeEventListener("abort", kill);
  return waitpid(pid);
}

/** Runs `dhow VERB ARGS` inside to its end. */
export function runInside(
  namespace: UserNamespace,
  verb: string,
  args: readonly string[],
  options: InsideOptions = {},
): Promise<{ status: WaitStatus; stdout: Uint8Array<ArrayBuffer> }> {
  return runCommandInside(namespace, selfCommand(verb, args, options.memory), options);
}

/**
 * Runs a program by its path inside to its end.
 *
 * @param options With `joined`, what it writes to stderr is part of the stdout that is returned.
 */
export async function runCommandInside(
  namespace: UserNamespace,
  command: readonly string[],
  options: InsideOptions & { joined?: boolean } = {},
): Promise<{ status: WaitStatus; stdout: Uint8Array<ArrayBuffer> }> {
  using devNull = open("/dev/null", C.O_RDWR);
  const output = options.stdout === undefined ? pipe() : undefined;
  using reading = output?.read ?? null;
  let process: InsideProcess;
  {
    using writing = output?.write ?? null;
    const stdout = options.stdout ?? writing!.number;
    process = startCommandInside(namespace, command, {
      ...options,
      stdin: options.stdin ?? devNull.number,
      stdout,
      stderr: options.joined ? stdout : options.stderr ?? 2,
    });
  }
  const stdout = reading === null ? new Uint8Array() : await readAll(reading);
  return { status: await process.ended, stdout };
}

async function readAll(fd: Fd): Promise<Uint8Array<ArrayBuffer>> {
  let all = new Uint8Array(0);
  const buffer = new Uint8Array(65536);
  for (;;) {
    await pollAsync([{ fd: fd.number, events: C.POLLIN }]);
    const n = read(fd.number, buffer);
    if (n <= 0) return all;
    const longer = new Uint8Array(all.length + n);
    longer.set(all);
    longer.set(buffer.subarray(0, n), all.length);
    all = longer;
  }
}
