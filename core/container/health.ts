/**
 * Docker's health checks as a state machine: what a probe's result makes of the health, and when the next one is due.
 * Pure; whoever runs the probes keeps the time.
 *
 * @module
 */
import type { Health, HealthResult } from "../spec/docker_api.ts";
import type { Healthcheck } from "../spec/image.ts";

const LOG_LENGTH = 5;
const OUTPUT_BYTES = 4096;
const NS_PER_MS = 1e6;

/** A probe as it is to be run, with defaults filled in. */
export interface HealthProbe {
  /** Arguments of the process. */
  command: string[];
  timeoutMs: number;
  intervalMs: number;
  startPeriodMs: number;
  startIntervalMs: number;
  retries: number;
}

/**
 * The probe a container asks for; undefined if it has none.
 *
 * @param shell The image's SHELL, for `CMD-SHELL`.
 */
export function healthProbe(
  check: Healthcheck | undefined,
  shell: readonly string[] = ["/bin/sh", "-c"],
): HealthProbe | undefined {
  const [kind, ...rest] = check?.Test ?? [];
  if (check === undefined || rest.length === 0) return undefined;
  if (kind !== "CMD" && kind !== "CMD-SHELL") return undefined;
  const ms = (nanoseconds: number | undefined, otherwise: number) =>
    nanoseconds ? nanoseconds / NS_PER_MS : otherwise;
  return {
    command: kind === "CMD" ? rest : [...shell.length > 0 ? shell : ["/bin/sh", "-c"], ...rest],
    timeoutMs: ms(check.Timeout, 30_000),
    intervalMs: ms(check.Interval, 30_000),
    startPeriodMs: ms(check.StartPeriod, 0),
    startIntervalMs: ms(check.StartInterval, 5_000),
    retries: check.Retries && check.Retries > 0 ? check.Retries : 3,
  };
}

/** Health of a container that has just been started. */
export function initialHealth(): Health {
  return { Status: "starting", FailingStreak: 0, Log: [] };
}

/**
 * The health after a probe.
 *
 * @param sinceStartMs From the container's start to the probe's: failures within the start period do not count until
 * the first success.
 */
export function applyProbeResult(
  health: Health,
  result: HealthResult,
  { probe, sinceStartMs }: { probe: HealthProbe; sinceStartMs: number },
): Health {
  const Log = [...health.Log, result].slice(-LOG_LENGTH);
  if (result.ExitCode === 0) return { Status: "healthy", FailingStreak: 0, Log };
  if (probesQuickly(health, probe, sinceStartMs)) return { ...health, Log };
  const FailingStreak = health.FailingStreak + 1;
  const Status = FailingStreak >= probe.retries ? "unhealthy" : health.Status;
  return { Status, FailingStreak, Log };
}

/** Whether the next probe comes after the start interval, not the common one: within the start period, before a success. */
export function probesQuickly(health: Health, probe: HealthProbe, sinceStartMs: number): boolean {
  return health.Status === "starting" && sinceStartMs < probe.startPeriodMs;
}

/** A probe's output as the health's log keeps it. */
export function cutProbeOutput(output: Uint8Array): string {
  const isCut = output.length > OUTPUT_BYTES;
  return new TextDecoder().decode(output.subarray(0, OUTPUT_BYTES)) + (isCut ? "..." : "");
}

/** What docker logs for a probe that took too long; its exit code is -1. */
export function probeTimeoutOutput(probe: HealthProbe, output: string): string {
  const message = `Health check exceeded timeout (${goDuration(probe.timeoutMs)})`;
  return output === "" ? message : `${message}: ${output}`;
}

/** `1.5s`, `2m0s`, `300ms`, as Go prints durations. */
function goDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = `${(ms % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
