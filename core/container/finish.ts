/**
 * What happens once a container's run has ended: the event, `--rm`, the restart policy. Done by the foreground dhow, or
 * by the monitor's exit hook where there is none.
 *
 * @module
 */
import { sleep } from "../host/sleep.ts";
import { lazy } from "../lib/lazy.ts";
import { O_RDWR } from "../../ffi/abi/constants.ts";
import { type Fd, openIfThere } from "../../ffi/fd.ts";
import { tryLock, unlock } from "../../ffi/lock.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { logContainerEvent, logEnd } from "./container_event.ts";
import { usesBridges } from "./endpoints.ts";
import { dropGroup } from "./group_hints.ts";
import { containerDirectory, type ContainerRecord, readRecord } from "./record.ts";
import { removeContainer } from "./remove.ts";
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
  const state = readState(directory);
  using lock = await lockEnded(directory);
  if (lock === undefined) return state.exitCode; // removed, or running again
  const run = state.run;
  const mark = String(run?.startedAt ?? 0);
  if (run !== undefined && state.stored.finishedRun !== mark) {
    if (usesBridges(record)) await giveBackNetworks(paths, record);
    const oomKilled = await dropGroup(directory);
    if (oomKilled) logContainerEvent(paths, record, "oom");
    // What goes now needs no mark; and replacing a file makes ext4 flush it.
    if (!record.hostConfig.AutoRemove) {
      updateStoredState(directory, {
        finishedRun: mark,
        paused: false,
        ...oomKilled && { oomKilled },
      });
    }
    const seconds = (state.finishedAt - run.startedAt) / 1_000_000_000n;
    logEnd(paths, record, {
      execDuration: String(seconds),
      exitCode: String(state.exitCode),
    });
  }
  unlock(lock, LOCK_RUN);
  if (record.hostConfig.AutoRemove) {
    await removeUnlessRemoved(paths, record.id);
  }
  return state.exitCode;
}

async function giveBackNetworks(paths: StorePaths, record: ContainerRecord): Promise<void> {
  const { releaseNetworks } = await lazy<typeof import("./networking.ts")>(
    "./networking.ts",
    import.meta.url,
  );
  releaseNetworks(paths, record);
}

/** Whoever lists containers may be at it too. */
async function removeUnlessRemoved(paths: StorePaths, id: string): Promise<void> {
  try {
    await removeContainer(paths, id, { force: true, volumes: true });
  } catch (error) {
    if (!(error instanceof DhowError) || !["not_found", "conflict"].includes(error.code)) {
      throw error;
    }
  }
}

/** The lock of a container that has ended; its monitor gives it up a moment after recording the end. */
async function lockEnded(directory: string): Promise<Fd | undefined> {
  const lock = openIfThere(`${directory}/lock`, O_RDWR);
  if (lock === undefined) return undefined;
  for (let attempt = 0; attempt < 200; attempt++) {
    if (tryLock(lock, LOCK_RUN)) return lock;
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
