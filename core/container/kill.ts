/**
 * Signals to a container's init, without the race of a reused pid.
 *
 * @module
 */
import { SIGKILL } from "../../ffi/abi/constants.ts";
import type { Fd } from "../../ffi/fd.ts";
import { pidfdOpen, pidfdSendSignal, processStartTime } from "../../ffi/process.ts";
import type { RunRecord } from "../runtime/run_record.ts";
import { isRunning, readState, type State } from "./state.ts";

export { parseSignal } from "../lib/signal.ts";

/** A running container's init, held by a descriptor. */
export interface HeldInit extends Disposable {
  pid: number;
  pidfd: Fd;
  state: State;
}

/**
 * Opens the init of the container in `directory`; undefined if it does not run.
 *
 * The state is read again once the descriptor is open: the pid was init's then, and the descriptor stays so.
 */
export function holdInit(directory: string): HeldInit | undefined {
  const { status, pid } = readState(directory);
  if (!isRunning(status)) return undefined;
  const pidfd = pidfdOpen(pid);
  if (pidfd === undefined) return undefined;
  const state = readState(directory);
  if (isRunning(state.status) && state.pid === pid) {
    return { pid, pidfd, state, [Symbol.dispose]: () => pidfd.close() };
  }
  pidfd.close();
  return undefined;
}

/** Kills what a killed monitor left: an init that PDEATHSIG did not reach. Recognised by when it was started. */
export function killStray(run: RunRecord): void {
  const start = processStartTime(run.initPid);
  if (start === undefined) return;
  const started = bootTimeNs() + BigInt(start) * 10_000_000n; // USER_HZ is 100
  const apart = started - run.startedAt;
  if (apart < -3_000_000_000n || apart > 3_000_000_000n) return;
  using pidfd = pidfdOpen(run.initPid);
  if (pidfd !== undefined && processStartTime(run.initPid) === start) {
    pidfdSendSignal(pidfd, SIGKILL);
  }
}

function bootTimeNs(): bigint {
  const line = Deno.readTextFileSync("/proc/stat").match(/^btime (\d+)$/m);
  return BigInt(line?.[1] ?? 0) * 1_000_000_000n;
}
