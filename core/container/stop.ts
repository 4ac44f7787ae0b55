/**
 * Signals and stops: kill, stop, pause, unpause, wait.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import { O_RDONLY, SIGCONT, SIGKILL } from "../../ffi/abi/constants.ts";
import { openIfThere } from "../../ffi/fd.ts";
import { isLocked } from "../../ffi/lock.ts";
import { pidfdSendSignal } from "../../ffi/process.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { sleep } from "../host/sleep.ts";
import { isThere } from "../host/stat.ts";
import { logContainerEvent } from "./container_event.ts";
import { type HeldInit, holdInit, parseSignal } from "./kill.ts";
import { containerDirectory, readRecord } from "./record.ts";
import { hasEnded, waitForEnd } from "./run_watch.ts";
import { LOCK_RUN, readState, updateStoredState } from "./state.ts";

const DEFAULT_STOP_SIGNAL = "SIGTERM";
const DEFAULT_STOP_SECONDS = 10;
/** How long the kernel may take to end a killed process before we say so. */
const KILL_MS = 10_000;

/**
 * Sends a signal to a container's main process.
 *
 * @param signalName With or without `SIG`, or a number.
 * @throws {DhowError} `conflict`, in docker's words, if it does not run; `invalid_argument` for no such signal.
 */
export function killContainer(paths: StorePaths, id: string, signalName = "KILL"): void {
  const signal = parseSignal(signalName);
  const directory = containerDirectory(paths, id);
  using init = holdInit(directory);
  if (init === undefined) throw notRunning(paths, id);
  const record = readRecord(paths, id);
  if (signal === SIGKILL || signal === stopSignalOf(record.config.StopSignal)) {
    updateStoredState(directory, { stopRequested: true });
  }
  pidfdSendSignal(init.pidfd, signal);
  // What is stopped takes no signal but SIGKILL until it goes on; docker thaws for SIGKILL too.
  if (init.state.status === "paused" && signal === SIGKILL) {
    updateStoredState(directory, { paused: false });
  }
  logContainerEvent(paths, record, "kill", { signal: String(signal) });
}

function stopSignalOf(name: string | undefined): number {
  return parseSignal(name || DEFAULT_STOP_SIGNAL);
}

function notRunning(paths: StorePaths, id: string): DhowError {
  const { status } = readState(containerDirectory(paths, id));
  return new DhowError(
    "conflict",
    status === "restarting"
      ? `container ${id} is restarting, wait until the container is running`
      : `container ${id} is not running`,
  );
}

/** Stops a container: its stop signal, and SIGKILL after the timeout. One that does not run is fine. */
export async function stopContainer(
  paths: StorePaths,
  id: string,
  options: { signalName?: string; timeoutSeconds?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const directory = containerDirectory(paths, id);
  const record = readRecord(paths, id);
  const signal = stopSignalOf(options.signalName || record.config.StopSignal);
  updateStoredState(directory, { stopRequested: true });
  using init = await holdInitOnceStarted(directory);
  if (init === undefined) return;
  updateStoredState(directory, { stopRequested: true }); // a start that was under way has reset it
  if (init.state.status === "paused") await unpauseContainer(paths, id);
  const seconds = options.timeoutSeconds ?? record.config.StopTimeout ?? DEFAULT_STOP_SECONDS;
  if (pidfdSendSignal(init.pidfd, signal)) {
    logContainerEvent(paths, record, "kill", { signal: String(signal) });
    const isInTime = await endsWithin(
      directory,
      seconds < 0 ? undefined : seconds * 1000,
      options.signal,
    );
    if (!isInTime) {
      pidfdSendSignal(init.pidfd, SIGKILL);
      logContainerEvent(paths, record, "kill", { signal: String(SIGKILL) });
      if (!await endsWithin(directory, KILL_MS, options.signal)) {
        throw new DhowError(
          "internal",
          `Cannot stop container "${record.name}": process ${init.pid} does not end on SIGKILL; it may be waiting for a disk or network file system`,
        );
      }
    }
  }
  logContainerEvent(paths, record, "stop");
}

/** {@linkcode holdInit}, but waits for a start that is under way. */
async function holdInitOnceStarted(directory: string): Promise<HeldInit | undefined> {
  using lock = openIfThere(`${directory}/lock`, O_RDONLY);
  for (;;) {
    const init = holdInit(directory);
    if (init !== undefined || lock === undefined || !isLocked(lock, LOCK_RUN)) return init;
    await sleep(5);
  }
}

async function endsWithin(
  directory: string,
  ms: number | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const signals = [
    ...signal ? [signal] : [],
    ...ms === undefined ? [] : [AbortSignal.timeout(Math.max(ms, 1))],
  ];
  try {
    await waitForEnd(directory, AbortSignal.any(signals));
    return true;
  } catch (error) {
    if (signal?.aborted) throw error;
    return hasEnded(directory);
  }
}

/** Stops every process of a container where it is. @throws {DhowError} `conflict` in docker's words. */
export async function pauseContainer(paths: StorePaths, id: string): Promise<void> {
  const directory = containerDirectory(paths, id);
  using init = holdInit(directory);
  if (init === undefined) throw notRunning(paths, id);
  if (init.state.status === "paused") {
    throw new DhowError("conflict", `Container ${id} is already paused`);
  }
  if (!await freeze(directory, true)) {
    const { signalAll } = await lazy<typeof import("./signal_all.ts")>(
      "./signal_all.ts",
      import.meta.url,
    );
    await signalAll(init, "stop");
  }
  updateStoredState(directory, { paused: true });
  logContainerEvent(paths, readRecord(paths, id), "pause");
}

/** Lets a paused container go on. */
export async function unpauseContainer(paths: StorePaths, id: string): Promise<void> {
  const directory = containerDirectory(paths, id);
  using init = holdInit(directory);
  if (init?.state.status !== "paused") {
    throw new DhowError("conflict", `Container ${id} is not paused`);
  }
  if (!await freeze(directory, false)) {
    const { signalAll } = await lazy<typeof import("./signal_all.ts")>(
      "./signal_all.ts",
      import.meta.url,
    );
    await signalAll(init, "continue");
    pidfdSendSignal(init.pidfd, SIGCONT);
  }
  updateStoredState(directory, { paused: false });
  logContainerEvent(paths, readRecord(paths, id), "unpause");
}

/** Freezes a container by its control group, or thaws it. @returns Whether it has one. */
async function freeze(directory: string, isFrozen: boolean): Promise<boolean> {
  if (!isThere(`${directory}/cgroup.json`)) return false;
  const { freezeGroup, readGroup } = await lazy<typeof import("../cgroup/container_group.ts")>(
    "../cgroup/container_group.ts",
    import.meta.url,
  );
  const group = readGroup(directory);
  return group !== undefined && await freezeGroup(group.path, isFrozen);
}
