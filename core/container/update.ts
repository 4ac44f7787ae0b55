/**
 * `docker update`, as far as it needs no cgroup: the restart policy.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import type { HostConfig } from "../spec/docker_api.ts";
import { logContainerEvent } from "./container_event.ts";
import { containerDirectory, readRecord, writeRecord } from "./record.ts";
import { assertRestartPolicy } from "./restart_policy.ts";

/** Changes settings of container `id`. @throws {DhowError} `unsupported` for limits. */
export function updateContainer(
  paths: StorePaths,
  id: string,
  changes: Partial<HostConfig>,
): void {
  const record = readRecord(paths, id);
  const { RestartPolicy, ...limits } = changes;
  const limit = Object.keys(limits)[0];
  if (limit !== undefined) {
    throw new DhowError(
      "unsupported",
      `Cannot update ${limit}: resource limits are not supported yet`,
    );
  }
  if (RestartPolicy === undefined) return;
  assertRestartPolicy(RestartPolicy);
  if (record.hostConfig.AutoRemove && !["", "no"].includes(RestartPolicy.Name)) {
    throw new DhowError(
      "invalid_argument",
      "Restart policy cannot be updated because AutoRemove is enabled for the container",
    );
  }
  const hostConfig = { ...record.hostConfig, RestartPolicy };
  writeRecord(containerDirectory(paths, id), { ...record, hostConfig });
  logContainerEvent(paths, record, "update");
}
