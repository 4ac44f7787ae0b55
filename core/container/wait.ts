/**
 * `docker wait`.
 *
 * @module
 */
import { isThere } from "../host/stat.ts";
import { sleep } from "../host/sleep.ts";
import type { StorePaths } from "../host/paths.ts";
import { containerDirectory } from "./record.ts";
import { hasEnded, KeptRun, waitForEnd, watchContainer } from "./run_watch.ts";
import { isRunning, readState } from "./state.ts";

/** Resolves with a container's exit code once the condition holds. */
export async function waitContainer(
  paths: StorePaths,
  id: string,
  options: { condition?: "not-running" | "next-exit" | "removed"; signal?: AbortSignal } = {},
): Promise<number> {
  const directory = containerDirectory(paths, id);
  const { condition = "not-running", signal } = options;
  if (condition === "next-exit") await waitForStart(directory, signal);
  using run = new KeptRun(directory);
  await waitForEnd(directory, signal);
  let exitCode = exitCodeOf(directory, run);
  if (condition !== "removed") return exitCode;
  while (isThere(directory)) {
    exitCode = exitCodeOf(directory, run);
    await sleep(20);
    signal?.throwIfAborted();
  }
  return exitCode;
}

/** How a container has ended, even if it is removed just now. */
function exitCodeOf(directory: string, kept: KeptRun): number {
  const { run, exitCode } = readState(directory);
  return run === undefined ? kept.exitCode() ?? exitCode : exitCode;
}

async function waitForStart(directory: string, signal: AbortSignal | undefined): Promise<void> {
  using watcher = watchContainer(directory);
  const before = readState(directory).startedAt;
  while (!isRunning(readState(directory).status) || hasEnded(directory)) {
    if (readState(directory).startedAt !== before) return; // started and ended meanwhile
    await watcher.changed();
    signal?.throwIfAborted();
  }
}
