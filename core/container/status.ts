/**
 * How `ps` puts a container's state into words.
 *
 * @module
 */
import { formatHumanDuration } from "../lib/duration.ts";
import { nowNanoseconds } from "../lib/timestamp.ts";
import type { State } from "./state.ts";

/** `Up 3 minutes (healthy)`, `Exited (0) 5 seconds ago`. @param now Unix nanoseconds. */
export function statusText(state: State, now: bigint = nowNanoseconds()): string {
  const since = (time: bigint) => formatHumanDuration(Number(now - time) / 1e9);
  switch (state.status) {
    case "running":
      return `Up ${since(state.startedAt)}${healthSuffix(state)}`;
    case "paused":
      return `Up ${since(state.startedAt)} (Paused)`;
    case "restarting":
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "created":
      return "Created";
    case "exited":
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
  }
}

function healthSuffix({ health }: State): string {
  if (health === undefined || health.Status === "none") return "";
  return health.Status === "starting" ? " (health: starting)" : ` (${health.Status})`;
}
