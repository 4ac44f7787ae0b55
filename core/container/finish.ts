/**
 * What happens once a container's run has ended: the event, `--rm`, the restart policy. Done by the foreground dhow, or
 * by the monitor's exit hook where there is none.
 *
 * @module
 */
import { isThere } from "../host/stat.ts";
import { sleep } from "../host/sleep.ts";
import { O_RDWR } from "../../ffi/abi/constants.ts";
import { type Fd, openIfThere } from "../../ffi/fd.ts";
import { tryLock } from "../../ffi/lock.ts";
import type { StorePaths } from "../host/paths.ts";
import { endRun, isEndOpen } from "./end_run.ts";
import { containerDirectory, type ContainerRecord, readRecord } from "./record.ts";
import { removeEnded } from "./remove.ts";
import { restartDelay } from "./restart_policy.ts";
import { startContainer } from "./start.ts";
import { LOCK_RESTART, LOCK_RUN, readState, updateStoredState } from "./state.ts";

/**
 * Records that the last run of a container is over, once; removes it if it is to be.
 *
 * @returns The exit code.
 */
export async function finishRun(paths: StorePaths, record: ContainerRecord): Promise<number> {
  const directory = containerDirectory(paths, record.id);
  const { exitCode } = readState(directory);
  using lock = await lockEnded(directory);
  if (lock === undefined) return exitCode;
  const state = readState(directory, { isLockMine: true });
  if (record.hostConfig.AutoRemove) {
    await removeEnded(paths, record, { lock, state, volumes: true });
  } else if (isEndOpen(state)) {
    const oomKilled = await endRun(paths, record, state);
    updateStoredState(directory, {
      finishedRun: String(state.startedAt),
      paused: false,
      ...oomKilled && { oomKilled },
    });
  }
  return state.exitCode;
}

/**
 * The lock of a container that has ended; its monitor gives it up a moment after recording the end.
 *
 * @returns Undefined if it has been removed meanwhile, or runs again.
 */
async function lockEnded(directory: string): Promise<Fd | undefined> {
  const lock = openIfThere(`${directory}/lock`, O_RDWR);
  if (lock === undefined) return undefined;
  for (let attempt = 0; attempt < 200; attempt++) {
    if (tryLock(lock, LOCK_RUN)) {
      if (isThere(directory)) return lock; // else it is the lock of a container that is gone
      break;
    }
    await sleep(attempt < 20 ? 0 : 5);
  }
  lock.close();
  return undefined;
}

/** The exit hook: finishes the run, then restarts the container if its policy says so. */
export async function runExitHook(paths: StorePaths, id: string): Promise<void> {
  const directory = containerDirectory(paths, id);
  using lock = openIfThere(`${directory}/lock`, O_RDWR);
  // Held before the end is recorded, so that a container about to restart never reads as exited for good.
  const isRestarter = lock !== undefined && tryLock(lock, LOCK_RESTART);
  const record = readRecord(paths, id);
  await finishRun(paths, record);
  if (!isRestarter || record.hostConfig.AutoRemove) return;
  await restartByPolicy(paths, id);
}

async function restartByPolicy(paths: StorePaths, id: string): Promise<void> {
  const directory = containerDirectory(paths, id);
  for (;;) {
    const { hostConfig } = readRecord(paths, id);
    const state = readState(directory);
    if (state.run === undefined || state.pid > 0) return;
    const delayMs = restartDelay(hostConfig.RestartPolicy, {
      exitCode: state.exitCode,
      stopRequested: state.stored.stopRequested ?? false,
      durationMs: Number((state.finishedAt - state.startedAt) / 1_000_000n),
      restartCount: state.restartCount,
      previousDelayMs: state.stored.restartDelayMs ?? 0,
    });
    if (delayMs === undefined) return;
    if (!await sleepUnlessStopped(directory, delayMs)) return;
    try {
      await startContainer(paths, id, { isRestart: true, restartDelayMs: delayMs });
      return;
    } catch {
      // The failure is recorded with the container; the next try comes after the next delay.
      updateStoredState(directory, {
        restartDelayMs: delayMs,
        restartCount: state.restartCount + 1,
      });
    }
  }
}

/** Sleeps, looking now and then whether the container was stopped or removed meanwhile. */
async function sleepUnlessStopped(directory: string, delayMs: number): Promise<boolean> {
  const until = Date.now() + delayMs;
  for (;;) {
    const state = readState(directory);
    if (state.stored.stopRequested || state.run === undefined) return false;
    const left = until - Date.now();
    if (left <= 0) return true;
    await sleep(Math.min(left, 250));
  }
}
