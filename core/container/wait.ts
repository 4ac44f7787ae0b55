/**
 * `docker wait`.
 *
 * @module
 */
import { isThere } from "../host/stat.ts";
import { sleep } from "../host/sleep.ts";
import type { StorePaths } from "../host/paths.ts";
import { containerDirectory } from "./record.ts";
import { hasEnded, waitForEnd, watchContainer } from "./run_watch.ts";
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
  await waitForEnd(directory, signal);
  let { exitCode } = readState(directory);
  if (condition !== "removed") return exitCode;
  while (isThere(directory)) {
    exitCode = readState(directory).exitCode;
    await sleep(20);
    signal?.throwIfAborted();
  }
  return exitCode;
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
