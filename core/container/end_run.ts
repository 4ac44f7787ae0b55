/**
 * What the end of a run sets free, and what is told of it: done once, by whoever deals with the end first.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import type { StorePaths } from "../host/paths.ts";
import { logContainerEvent, logEnd } from "./container_event.ts";
import { usesBridges } from "./endpoints.ts";
import { dropGroup } from "./group_hints.ts";
import { containerDirectory, type ContainerRecord } from "./record.ts";
import type { State } from "./state.ts";

/** Whether the end of the run that `state` tells of is still to be dealt with. */
export function isEndOpen({ run, stored }: State): boolean {
  return run !== undefined && stored.finishedRun !== String(run.startedAt);
}

/**
 * Gives addresses and the control group of an ended run back, and writes its end down as an event.
 *
 * The caller holds the container's lock.
 *
 * @param state As the run has ended.
 * @returns Whether a process was killed for want of memory.
 */
export async function endRun(
  paths: StorePaths,
  record: ContainerRecord,
  state: State,
): Promise<boolean> {
  if (usesBridges(record)) {
    const { releaseNetworks } = await lazy<typeof import("./networking.ts")>(
      "./networking.ts",
      import.meta.url,
    );
    releaseNetworks(paths, record);
  }
  const oomKilled = await dropGroup(containerDirectory(paths, record.id));
  if (oomKilled) logContainerEvent(paths, record, "oom");
  const seconds = (state.finishedAt - state.startedAt) / 1_000_000_000n;
  logEnd(paths, record, { execDuration: String(seconds), exitCode: String(state.exitCode) });
  return oomKilled;
}
