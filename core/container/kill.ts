/**
 * Signals to a container's init, without the race of a reused pid.
 *
 * @module
 */
import { SIGKILL } from "../../ffi/abi/constants.ts";
import type { Fd } from "../../ffi/fd.ts";
import { pidfdOpen, pidfdSendSignal, processStartTime } from "../../ffi/process.ts";
import { DhowError } from "../errors.ts";
import type { RunRecord } from "../runtime/run_record.ts";
import { isRunning, readState, type State } from "./state.ts";

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

/** Signal numbers by name; real-time ones are `RTMIN+n` and `RTMAX-n`. */
const SIGNALS: readonly string[] =
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
    .split(" ");
const RTMIN = 34, RTMAX = 64;

/**
 * `SIGTERM`, `term`, `15`, `RTMIN+3` to the number.
 *
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export function parseSignal(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, "");
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number >= 1 && number <= RTMAX) return number;
  }
  const index = SIGNALS.indexOf(name);
  if (index >= 0) return index + 1;
  if (name === "IOT") return 6;
  if (name === "CLD") return 17;
  if (name === "POLL") return 29;
  const realTime = name.match(/^RTM(IN|AX)(?:([+-])(\d+))?$/);
  if (realTime !== null) {
    const base = realTime[1] === "IN" ? RTMIN : RTMAX;
    const number = base + Number(realTime[3] ?? 0) * (realTime[2] === "-" ? -1 : 1);
    if (number >= RTMIN && number <= RTMAX) return number;
  }
  throw new DhowError("invalid_argument", `invalid signal: ${text}`);
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
