/**
 * What state a container is in: derived, never remembered (DESIGN 2).
 *
 * The monitor holds a lock on `lock` as long as it lives, and writes the start and the end of the run into `run`. Both
 * together tell the state, also after a crash or a reboot. What only dhow itself can know (paused, stopped on purpose,
 * why a start failed) is in `state.json`.
 *
 * @module
 */
import { O_RDONLY } from "../../ffi/abi/constants.ts";
import { openIfThere } from "../../ffi/fd.ts";
import { isLocked } from "../../ffi/lock.ts";
import type { ContainerStatus, Health } from "../spec/docker_api.ts";
import { decodeRunRecord, type RunRecord } from "../runtime/run_record.ts";
import { replaceFile } from "./record.ts";

/** Byte of `lock` held by the monitor, or by who starts or removes the container. */
export const LOCK_RUN = 0;
/** Byte of `lock` held by the exit hook while it waits to restart the container. */
export const LOCK_RESTART = 1;

/** What the probes of a health check make of the run; there if `state.json` says that there is a check. */
export const HEALTH_FILE = "health.json";

/** `containers/<id>/state.json`. */
export interface StoredState {
  paused?: boolean;
  /** `stop` or `kill` was asked for: no restart. */
  stopRequested?: boolean;
  restartCount?: number;
  /** The last start failed before the command ran. */
  startFailure?: { exitCode: number; message: string; /** Unix nanoseconds. */ at: string };
  oomKilled?: boolean;
  /** What the container started with, where it has a health check. */
  health?: Health;
  /** Start time (decimal nanoseconds) of the run whose end was dealt with. */
  finishedRun?: string;
  /** Delay before the last restart by policy. */
  restartDelayMs?: number;
  /** Execs that run now, for `inspect`. */
  execIds?: string[];
}

/** A container's state, as far as files and locks tell. */
export interface State {
  status: ContainerStatus;
  /** Host pid of init while running, else 0. */
  pid: number;
  monitorPid: number;
  exitCode: number;
  error: string;
  /** Unix nanoseconds; 0n for never. */
  startedAt: bigint;
  finishedAt: bigint;
  oomKilled: boolean;
  restartCount: number;
  health?: Health;
  stored: StoredState;
  /** The last run, if there was one. */
  run?: RunRecord;
}

/** Exit code of a container whose monitor was killed or whose machine went down. */
const EXIT_CODE_LOST = 137;

/** Reads `state.json`; an absent or torn file is the initial state. */
export function readStoredState(directory: string): StoredState {
  try {
    return JSON.parse(Deno.readTextFileSync(`${directory}/state.json`));
  } catch {
    return {};
  }
}

/** Replaces `state.json`. */
export function writeStoredState(directory: string, state: StoredState): void {
  replaceFile(`${directory}/state.json`, JSON.stringify(state));
}

/** Changes `state.json`; the caller holds the container's lock, or the change is its own to make. */
export function updateStoredState(directory: string, change: Partial<StoredState>): StoredState {
  const state = { ...readStoredState(directory), ...change };
  writeStoredState(directory, state);
  return state;
}

/** Reads the `run` record of the last start. */
export function readRun(directory: string): RunRecord | undefined {
  try {
    return decodeRunRecord(Deno.readFileSync(`${directory}/run`));
  } catch {
    return undefined;
  }
}

/**
 * Derives the state of the container in `directory`.
 *
 * @param options `isLockMine`: the caller holds its lock, so that it does not run.
 */
export function readState(directory: string, options: { isLockMine?: boolean } = {}): State {
  using lock = openIfThere(`${directory}/lock`, O_RDONLY);
  const stored = readStoredState(directory);
  const held = !options.isLockMine && lock !== undefined && isLocked(lock, LOCK_RUN);
  const run = readRun(directory); // after the lock: a run that was recorded meanwhile is not "lost"
  const restarting = !stored.stopRequested && lock !== undefined && isLocked(lock, LOCK_RESTART);
  const base = {
    stored,
    ...run && { run },
    oomKilled: stored.oomKilled ?? false,
    restartCount: stored.restartCount ?? 0,
    ...stored.health && { health: readHealth(directory) ?? stored.health },
    startedAt: run?.startedAt ?? 0n,
    error: stored.startFailure?.message ?? "",
  };
  if (run !== undefined && run.exit === undefined && held) {
    const status = stored.paused ? "paused" : "running";
    return {
      ...base,
      status,
      pid: run.initPid,
      monitorPid: run.monitorPid,
      exitCode: 0,
      finishedAt: 0n,
    };
  }
  const ended = { ...base, pid: 0, monitorPid: 0 };
  // Docker calls unhealthy what nobody probes any more.
  if (ended.health !== undefined) ended.health = { ...ended.health, Status: "unhealthy" };
  if (stored.startFailure !== undefined) {
    const { exitCode, at } = stored.startFailure;
    const status = run === undefined ? "created" : "exited";
    return { ...ended, status, exitCode, finishedAt: run === undefined ? 0n : BigInt(at) };
  }
  if (run === undefined) {
    return {
      ...ended,
      status: "created",
      exitCode: 0,
      finishedAt: 0n,
    };
  }
  const status = restarting ? "restarting" : "exited";
  return {
    ...ended,
    status,
    exitCode: run.exit?.code ?? EXIT_CODE_LOST,
    finishedAt: run.exit?.finishedAt ?? lastSeen(directory, run),
  };
}

function readHealth(directory: string): Health | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${directory}/${HEALTH_FILE}`));
  } catch {
    return undefined;
  }
}

/** When a run whose end nobody recorded was last heard of. */
function lastSeen(directory: string, run: RunRecord): bigint {
  try {
    const { mtime } = Deno.statSync(`${directory}/log`);
    const at = BigInt(mtime?.getTime() ?? 0) * 1_000_000n;
    return at > run.startedAt ? at : run.startedAt;
  } catch {
    return run.startedAt;
  }
}

/** Whether a container in this status has a process. */
export function isRunning(status: ContainerStatus): boolean {
  return status === "running" || status === "paused";
}
