/**
 * When the monitor is to start a health probe: `dhow __health ID`, one short-lived process each time.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { selfCommand, selfEnvironment } from "../host/self.ts";
import type { MonitorOptions } from "../runtime/monitor.ts";
import type { ContainerRecord } from "./record.ts";

const DEFAULT_INTERVAL_NS = 30_000_000_000;
const DEFAULT_START_INTERVAL_NS = 5_000_000_000;

/** Whether a container has a health check. */
export function hasProbe({ config: { Healthcheck } }: ContainerRecord): boolean {
  return Healthcheck?.Test?.[1] !== undefined && Healthcheck.Test[0] !== "NONE";
}

/** The probes of a container, or undefined if it has none. */
export function probePlan(paths: StorePaths, record: ContainerRecord): MonitorOptions["probe"] {
  const check = record.config.Healthcheck;
  if (check === undefined || !hasProbe(record)) return undefined;
  const intervalNs = check.Interval || DEFAULT_INTERVAL_NS;
  // Until the start period is over or the first success, probes come more often.
  const startIntervalNs = check.StartPeriod
    ? Math.min(check.StartInterval || DEFAULT_START_INTERVAL_NS, intervalNs)
    : intervalNs;
  return {
    args: selfCommand("__health", [paths.root, record.id]),
    env: selfEnvironment(),
    intervalNs,
    startIntervalNs,
  };
}
