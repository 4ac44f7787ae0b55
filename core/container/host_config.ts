/**
 * What a container's settings become when it is created: docker's refusals and docker's defaults.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { parseCapabilities, resolveCapabilities } from "../runtime/capabilities.ts";
import { parseSecurityOptions } from "../runtime/security_options.ts";
import type { ContainerConfig, HostConfig } from "../spec/docker_api.ts";
import type { Healthcheck } from "../spec/image.ts";
import { parseTmpfsOptions } from "../volume/mount_spec.ts";
import { assertIpcMode } from "./create_spec.ts";
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from "./system_paths.ts";
import { parseSignal } from "./kill.ts";
import { assertRestartPolicy } from "./restart_policy.ts";

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;
const NS_PER_MS = 1e6;

/**
 * Refuses settings that no container can be created with.
 *
 * @param config As the user asked, before the image's settings and our defaults.
 * @throws {DhowError} `invalid_argument`, in docker's words.
 */
export function assertSettings(config: ContainerConfig, hostConfig: HostConfig): void {
  const { NetworkMode, UTSMode, OomScoreAdj, ShmSize } = hostConfig;
  if (config.WorkingDir && !config.WorkingDir.startsWith("/")) {
    throw invalid(
      `the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  if (config.StopSignal) parseSignal(config.StopSignal);
  if (config.Healthcheck) assertHealthcheck(config.Healthcheck);
  if (config.Hostname && UTSMode === "host") {
    throw invalid("conflicting options: hostname and the UTS mode");
  }
  if (config.Hostname && NetworkMode.startsWith("container:")) {
    throw invalid("conflicting options: hostname and the network mode");
  }
  const publishes = Object.keys(hostConfig.PortBindings ?? {}).length > 0;
  if (publishes && NetworkMode.startsWith("container:")) {
    throw invalid(
      "conflicting options: port publishing and the container type network mode",
    );
  }
  if (NetworkMode === "container:") {
    throw invalid("invalid network mode: invalid container format container:<name|id>");
  }
  for (const [target, options] of Object.entries(hostConfig.Tmpfs ?? {})) {
    if (!target.startsWith("/")) {
      throw invalid(`invalid mount path: '${target}' mount path must be absolute`);
    }
    parseTmpfsOptions(options);
  }
  if (OomScoreAdj < -1000 || OomScoreAdj > 1000) {
    throw invalid(`Invalid value ${OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  if (ShmSize < 0) throw invalid("SHM size can not be less than 0");
  assertIpcMode(hostConfig.IpcMode);
  assertRestartPolicy(hostConfig.RestartPolicy);
  if (hostConfig.AutoRemove && !["", "no"].includes(hostConfig.RestartPolicy.Name)) {
    throw invalid("can't create 'AutoRemove' container with restart policy");
  }
  resolveCapabilities({ add: hostConfig.CapAdd, drop: hostConfig.CapDrop });
  parseSecurityOptions(hostConfig.SecurityOpt);
}

function assertHealthcheck(check: Healthcheck): void {
  for (const field of ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const) {
    const value = check[field] ?? 0;
    if (value !== 0 && value < NS_PER_MS) {
      throw invalid(`${field} in Healthcheck cannot be less than 1ms`);
    }
  }
  if ((check.Retries ?? 0) < 0) throw invalid("Retries in Healthcheck cannot be negative");
}

/** The settings with docker's defaults, as `docker inspect` shows them. */
export function completeHostConfig(hostConfig: HostConfig): HostConfig {
  const { Privileged, CapAdd, CapDrop, RestartPolicy, LogConfig } = hostConfig;
  const { Memory, MemorySwap } = hostConfig;
  const securityOptions = hostConfig.SecurityOpt ?? [];
  const hasLabel = securityOptions.some((option) => option.startsWith("label"));
  return {
    ...hostConfig,
    NetworkMode: ["", "default"].includes(hostConfig.NetworkMode)
      ? "bridge"
      : hostConfig.NetworkMode,
    LogConfig: { Type: LogConfig.Type || "json-file", Config: LogConfig.Config ?? {} },
    RestartPolicy: { ...RestartPolicy, Name: RestartPolicy.Name || "no" },
    IpcMode: hostConfig.IpcMode || "private",
    CgroupnsMode: hostConfig.CgroupnsMode || "private",
    ShmSize: hostConfig.ShmSize || DEFAULT_SHM_BYTES,
    Runtime: hostConfig.Runtime || "runc",
    MemorySwap: Memory > 0 && MemorySwap === 0 ? 2 * Memory : MemorySwap,
    MemorySwappiness: null,
    CapAdd: CapAdd === null ? null : parseCapabilities("CapAdd", CapAdd),
    CapDrop: CapDrop === null ? null : parseCapabilities("CapDrop", CapDrop),
    SecurityOpt: Privileged && !hasLabel
      ? [...securityOptions, "label=disable"]
      : hostConfig.SecurityOpt,
    MaskedPaths: Privileged ? null : hostConfig.MaskedPaths ?? [...DEFAULT_MASKED_PATHS],
    ReadonlyPaths: Privileged ? null : hostConfig.ReadonlyPaths ?? [...DEFAULT_READONLY_PATHS],
  };
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
