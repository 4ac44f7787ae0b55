/**
 * One health probe of a running container: runs the check inside, and stores what it makes of the container's health.
 *
 * The health lies in `health.json`, which only probes write; `state.json` says whether there is one to look at.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { concat } from "../lib/concat.ts";
import { formatTimestamp, nowNanoseconds } from "../lib/timestamp.ts";
import type { HealthResult } from "../spec/docker_api.ts";
import { logContainerEvent } from "./container_event.ts";
import { execAttached } from "./exec.ts";
import {
  applyProbeResult,
  cutProbeOutput,
  type HealthProbe,
  healthProbe,
  initialHealth,
  probesQuickly,
  probeTimeoutOutput,
} from "./health.ts";
import { containerDirectory, readRecord, replaceFile } from "./record.ts";
import { HEALTH_FILE, readState } from "./state.ts";

/** More output than this is not even read. */
const READ_BYTES = 8192;

/**
 * Probes container `id` once.
 *
 * @returns Whether the next probe is due after the start interval, not the common one.
 */
export async function runProbe(paths: StorePaths, id: string): Promise<boolean> {
  const directory = containerDirectory(paths, id);
  const record = readRecord(paths, id);
  const probe = healthProbe(record.config.Healthcheck, record.config.Shell ?? undefined);
  const before = readState(directory);
  if (probe === undefined || before.status !== "running") return false;
  const health = before.health ?? initialHealth();
  const start = nowNanoseconds();
  const { exitCode, output } = await check(paths, id, probe);
  const after = readState(directory);
  if (after.status !== "running" || after.startedAt !== before.startedAt) return false;
  const result: HealthResult = {
    Start: formatTimestamp(start),
    End: formatTimestamp(nowNanoseconds()),
    ExitCode: exitCode,
    Output: output,
  };
  const sinceStartMs = Number((start - before.startedAt) / 1_000_000n);
  const next = applyProbeResult(health, result, { probe, sinceStartMs });
  replaceFile(`${directory}/${HEALTH_FILE}`, JSON.stringify(next));
  if (next.Status !== health.Status) {
    logContainerEvent(paths, record, `health_status: ${next.Status}`);
  }
  return probesQuickly(next, probe, sinceStartMs);
}

/** Runs the check; one that takes too long is killed, and failed like one that cannot be run. */
async function check(
  paths: StorePaths,
  id: string,
  probe: HealthProbe,
): Promise<{ exitCode: number; output: string }> {
  const config = {
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    Env: [],
    Cmd: probe.command,
    Privileged: false,
    User: "",
    WorkingDir: "",
  };
  try {
    await using stream = await execAttached(paths, id, config);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      void stream.kill("KILL");
    }, probe.timeoutMs);
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const { bytes } of stream.output) {
      if (length < READ_BYTES) pieces.push(bytes);
      length += bytes.length;
    }
    const exitCode = await stream.exitCode;
    clearTimeout(timer);
    const output = cutProbeOutput(concat(pieces));
    return isLate ? { exitCode: -1, output: probeTimeoutOutput(probe, output) } : {
      exitCode,
      output,
    };
  } catch (error) {
    return { exitCode: -1, output: (error as Error).message };
  }
}
