/**
 * Running a further process in a running container: exec.
 *
 * A go-between that shares our memory enters the container's namespaces and clones the process as our own child, so that
 * its exit is ours to see. While it is being set up it is a copy of us inside the container; being not dumpable, nobody
 * there can look into it or at what it has open (CVE-2016-9962).
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import * as C from "../../ffi/abi/constants.ts";
import { pipe, pollAsync, read, write } from "../../ffi/fd.ts";
import { hidden } from "../../ffi/process.ts";
import { ProgramBuilder } from "../../ffi/program/builder.ts";
import {
  closeAllBut,
  decodeFailure,
  failedOp,
  reportFailure,
  withSignalsBlocked,
} from "../../ffi/program/fragments.ts";
import { LoadedProgram } from "../../ffi/program/loader.ts";
import type { Process } from "../spec/runtime.ts";
import { cloneInto } from "./clone_into.ts";
import { InitContext } from "./init_context.ts";
import { emitProcess, type ProcessOptions } from "./init_process.ts";
import { processError } from "./start_error.ts";

/** What to run where. */
export interface EnterPlan {
  process: Process;
  options: ProcessOptions;
  /** A pidfd of the container's init. */
  init: number;
  /** `CLONE_NEW*` of the namespaces to enter, `CLONE_NEWUSER` among them. */
  namespaces: number;
  /** The control group that it is born in, or moved to before it does anything. */
  group?: ExecGroup;
  /** Leave it alone: it becomes nobody's child. */
  detached: boolean;
}

/** How to get into a container's control group: by clone3(2), or by somebody else's hand. */
export type ExecGroup =
  | { kind: "open"; fd: number }
  | { kind: "around"; enter(pid: number): Promise<void> };

/**
 * Starts a process in a container and waits until its command is executed.
 *
 * @returns Its pid, to be reaped by the caller unless it is detached.
 * @throws {DhowError} `command_not_found`, `command_not_executable`, `start_failed`.
 */
export async function enter(plan: EnterPlan): Promise<number> {
  const status = pipe();
  using reading = status.read;
  using writing = status.write;
  const entered = plan.group?.kind === "around" ? pipe() : undefined;
  using gate = entered?.read ?? null;
  using opener = entered?.write ?? null;
  const gates = gate !== null && opener !== null
    ? { read: gate.number, write: opener.number }
    : undefined;
  const program = buildEnter(plan, writing.number, gates);
  using loaded = new LoadedProgram(program);
  let pid: number;
  {
    using _hidden = hidden();
    pid = loaded.run();
  }
  writing.close();
  gate?.close();
  if (plan.group?.kind === "around" && pid > 0) {
    try {
      await plan.group.enter(pid);
    } catch (error) {
      opener!.close();
      if (!plan.detached) await reapQuietly(pid);
      throw error;
    }
    write(opener!.number, new Uint8Array([1]));
  }
  await pollAsync([{ fd: reading.number, events: C.POLLIN }]);
  const record = new Uint8Array(64);
  const n = read(reading.number, record);
  const failure = decodeFailure(loaded, record.slice(0, Math.max(n, 0)));
  if (failure === undefined) return pid;
  const { label = "", syscall = "clone" } = failedOp(program, failure);
  if (pid > 0 && !plan.detached) await reapQuietly(pid);
  throw processError({ label, syscall, errno: failure.errno }, plan.process);
}

async function reapQuietly(pid: number): Promise<void> {
  const { waitpid } = await lazy<typeof import("../../ffi/process.ts")>(
    "../../ffi/process.ts",
    import.meta.url,
  );
  try {
    waitpid(pid);
  } catch { /* gone already */ }
}

/**
 * Builds the program of an exec. Pure.
 *
 * @param status Where failures are reported; exec closes it.
 * @param gate A pipe: the process waits until it can read something there, and ends if there is nothing to come.
 */
export function buildEnter(
  plan: EnterPlan,
  status: number,
  gate?: { read: number; write: number },
): ReturnType<ProgramBuilder["build"]> {
  const p = new ProgramBuilder();
  const between = p.label("enter");
  const process = p.label("process");
  const fail = p.label("failed");
  const pid = p.variable(0);
  withSignalsBlocked(p, () => {
    const over = p.label("over");
    const flags = C.CLONE_VM | C.CLONE_VFORK | C.SIGCHLD;
    const go = p.clone(flags, between, { label: "fork" });
    p.jumpIf(go, "<", 0, over);
    p.call("wait4", [go, 0, 0, 0]);
    p.jump(over);

    p.place(between);
    // Who is in the cgroup namespace sees no group outside of it, and could not leave the one it is in.
    const isBorn = plan.group?.kind === "open";
    const first = isBorn ? plan.namespaces & ~C.CLONE_NEWCGROUP : plan.namespaces;
    const label = "enter the container";
    p.call("setns", [plan.init, first], { orElse: fail, label });
    const parent = plan.detached ? 0 : C.CLONE_PARENT;
    const own = parent | C.SIGCHLD, options = { orElse: fail, label: "fork" };
    p.set(
      pid,
      plan.group?.kind === "open"
        ? cloneInto(p, plan.group.fd, own, process, options)
        : p.clone(own, process, options),
    );
    p.exit(0);
    reportFailure(p, fail, [status], 125);

    p.place(process);
    if (gate !== undefined) {
      const open = p.label("in its control group");
      p.call("close", [gate.write]);
      p.jumpIf(p.call("read", [gate.read, p.buffer(8), 1]), "==", 1, open);
      p.exit(125);
      p.place(open);
    }
    const later = plan.namespaces & ~first;
    if (later !== 0) p.call("setns", [plan.init, later], { orElse: fail, label });
    const { stdio } = plan.options;
    const streams = stdio.kind === "fds"
      ? [stdio.stdin, stdio.stdout, stdio.stderr]
      : [stdio.socket];
    const { asks } = plan.options;
    closeAllBut(p, [status, ...streams, ...asks === undefined ? [] : [asks]]);
    emitProcess(new InitContext(p, fail), plan.process, plan.options);
    p.place(over);
  });
  p.return(pid);
  return p.build();
}
