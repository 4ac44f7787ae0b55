/**
 * Stopping and continuing all processes of a container by signals, where there is no cgroup freezer.
 *
 * kill(2) with pid -1, sent from inside the container's pid namespace, reaches all but init at once; init follows. New
 * processes can only come from ones that were not stopped yet, so it is repeated until none runs.
 *
 * @module
 */
import { sleep } from "../host/sleep.ts";
import * as C from "../../ffi/abi/constants.ts";
import { open } from "../../ffi/fd.ts";
import { hidden, pidfdSendSignal } from "../../ffi/process.ts";
import { ProgramBuilder } from "../../ffi/program/builder.ts";
import { withSignalsBlocked } from "../../ffi/program/fragments.ts";
import { LoadedProgram } from "../../ffi/program/loader.ts";
import type { HeldInit } from "./kill.ts";

/** Stops or continues every process in the pid namespace of `init`. */
export async function signalAll(init: HeldInit, what: "stop" | "continue"): Promise<void> {
  const signal = what === "stop" ? C.SIGSTOP : C.SIGCONT;
  if (what === "stop") pidfdSendSignal(init.pidfd, C.SIGSTOP);
  using user = open(`/proc/${init.pid}/ns/user`, C.O_RDONLY);
  using pid = open(`/proc/${init.pid}/ns/pid`, C.O_RDONLY);
  for (let round = 0; round < 3; round++) {
    signalInside(user.number, pid.number, signal);
    if (what === "continue") break;
    await sleep(1);
  }
  if (what === "continue") pidfdSendSignal(init.pidfd, C.SIGCONT);
}

/** A child enters the namespaces; its own child, the first to be in the pid namespace, sends the signal. */
function signalInside(user: number, pid: number, signal: number): void {
  const p = new ProgramBuilder();
  const enter = p.label("enter");
  const send = p.label("send");
  const leave = p.label("leave");
  withSignalsBlocked(p, () => {
    const over = p.label("over");
    const flags = C.CLONE_VM | C.CLONE_VFORK | C.SIGCHLD;
    const first = p.clone(flags, enter);
    p.jumpIf(first, "<", 0, over);
    p.call("wait4", [first, 0, 0, 0]);
    p.jump(over);
    p.place(enter);
    p.call("setns", [user, C.CLONE_NEWUSER], { orElse: leave });
    p.call("setns", [pid, C.CLONE_NEWPID], { orElse: leave });
    // It shares our memory and can be seen in the container: `hidden()` keeps others from looking into it.
    const second = p.clone(C.CLONE_VM | C.CLONE_VFORK | C.SIGCHLD, send);
    p.call("wait4", [second, 0, 0, 0]);
    p.jump(leave);
    p.place(send);
    p.call("kill", [-1, signal]);
    p.place(leave);
    p.exit(0);
    p.place(over);
  });
  p.return(0);
  using loaded = new LoadedProgram(p.build());
  using _hidden = hidden();
  loaded.run();
}
