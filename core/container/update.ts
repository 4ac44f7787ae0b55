/**
 * `docker update`: the restart policy, and limits, of a running container at once.
 *
 * @module
 */
import { applySettings, readGroup } from "../cgroup/container_group.ts";
import { assertLimits, groupSettings } from "../cgroup/limits.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import type { HostConfig } from "../spec/docker_api.ts";
import { logContainerEvent } from "./container_event.ts";
import { deviceNumber } from "./groups.ts";
import { containerDirectory, type ContainerRecord, readRecord, writeRecord } from "./record.ts";
import { assertRestartPolicy } from "./restart_policy.ts";
import { isRunning, readState } from "./state.ts";

/**
 * Changes settings of container `id`.
 *
 * @throws {DhowError} `invalid_argument` in docker's words; `unsupported` for limits of a running container that has no
 *   control group, or not that controller. Nothing is changed then.
 */
export function updateContainer(
  paths: StorePaths,
  id: string,
  changes: Partial<HostConfig>,
): void {
  const record = readRecord(paths, id);
  const { RestartPolicy, ...limits } = changes;
  if (RestartPolicy !== undefined) assertPolicy(record, RestartPolicy);
  const hostConfig = { ...record.hostConfig, ...changes };
  completeSwap(record.hostConfig, hostConfig, limits);
  assertLimits(hostConfig, navigator.hardwareConcurrency);
  if (Object.keys(limits).length > 0) applyLimits(paths, record, hostConfig);
  writeRecord(containerDirectory(paths, id), { ...record, hostConfig });
  logContainerEvent(paths, record, "update");
}

function assertPolicy(
  { hostConfig }: ContainerRecord,
  policy: HostConfig["RestartPolicy"],
): void {
  assertRestartPolicy(policy);
  if (hostConfig.AutoRemove && !["", "no"].includes(policy.Name)) {
    throw new DhowError(
      "invalid_argument",
      "Restart policy cannot be updated because AutoRemove is enabled for the container",
    );
  }
}

/** As docker: a limit of memory beyond that of memory and swap needs both to be said; without the first, twice it. */
function completeSwap(
  before: HostConfig,
  now: HostConfig,
  { Memory, MemorySwap }: Partial<HostConfig>,
): void {
  if (!Memory || MemorySwap) return;
  if (before.MemorySwap > 0 && Memory > before.MemorySwap) {
    throw new DhowError(
      "invalid_argument",
      "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
    );
  }
  if (before.MemorySwap === 0) now.MemorySwap = 2 * Memory;
}

function applyLimits(
  paths: StorePaths,
  record: ContainerRecord,
  hostConfig: HostConfig,
): void {
  const directory = containerDirectory(paths, record.id);
  if (!isRunning(readState(directory).status)) return; // the next start sees to it
  const group = readGroup(directory);
  if (group === undefined) {
    throw new DhowError(
      "unsupported",
      `Cannot limit the running container "${record.name}": it has no control group; stop it and start it again`,
    );
  }
  const now = groupSettings(hostConfig, deviceNumber);
  const before = groupSettings(record.hostConfig, deviceNumber);
  const isSame = (a: typeof now[number], b: typeof now[number]) =>
    a.file === b.file && a.value === b.value;
  const changed = now.filter((setting) => !before.some((old) => isSame(setting, old)));
  // Swap is counted beside memory: whichever grows, the other is not below it for a moment.
  applySettings(group.path, changed);
}
