/**
 * `--restart`: whether and when a container that exited is started again, with docker's back-off. Pure.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { HostConfig } from "../spec/docker_api.ts";

/** A policy: a name, and how often `on-failure` tries. */
export type RestartPolicy = HostConfig["RestartPolicy"];

/** How a run ended. */
export interface EndedRun {
  exitCode: number;
  /** `stop` or `kill` was asked for. */
  stopRequested: boolean;
  /** How long it lasted. */
  durationMs: number;
  /** Restarts by policy so far. */
  restartCount: number;
  /** The delay before the run that ended, 0 for the first one. */
  previousDelayMs: number;
}

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 60_000;
/** A run that lasted this long starts the back-off anew. */
const GOOD_RUN_MS = 10_000;

/**
 * Refuses policies docker refuses.
 *
 * @throws {DhowError} `invalid_argument`, in docker's words.
 */
export function assertRestartPolicy({ Name, MaximumRetryCount }: RestartPolicy): void {
  const refuse = (why: string) => {
    throw new DhowError("invalid_argument", `invalid restart policy: ${why}`);
  };
  switch (Name) {
    case "always":
    case "no":
    case "unless-stopped":
      if (MaximumRetryCount !== 0) {
        refuse("maximum retry count can only be used with 'on-failure'");
      }
      return;
    case "on-failure":
      if (MaximumRetryCount < 0) refuse("maximum retry count cannot be negative");
      return;
    case "":
      if (MaximumRetryCount !== 0) refuse("maximum retry count can only be used with 'on-failure'");
      return;
    default:
      refuse(
        `unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
      );
  }
}

/** Milliseconds until the container is to be started again; undefined if it is not. */
export function restartDelay(policy: RestartPolicy, run: EndedRun): number | undefined {
  if (run.stopRequested || !wantsRestart(policy, run)) return undefined;
  if (run.previousDelayMs === 0 || run.durationMs >= GOOD_RUN_MS) return FIRST_DELAY_MS;
  return Math.min(run.previousDelayMs * 2, LAST_DELAY_MS);
}

function wantsRestart(policy: RestartPolicy, run: EndedRun): boolean {
  switch (policy.Name) {
    case "always":
    case "unless-stopped":
      return true;
    case "on-failure": {
      const max = policy.MaximumRetryCount;
      return run.exitCode !== 0 && (max === 0 || run.restartCount < max);
    }
    default:
      return false;
  }
}
