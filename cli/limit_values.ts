/**
 * The flags of `run`, `create` and `update` that limit what a container may use.
 *
 * @module
 */
import { DhowError } from "../core/errors.ts";
import { parseBytes } from "../core/lib/units.ts";
import type { HostConfig, ThrottleDevice } from "../core/spec/docker_api.ts";
import { flagName } from "./flags.ts";
import type { CreateFlags } from "./run_flags.ts";

type Given = (flag: keyof CreateFlags & string) => boolean;

/** What is limited, and to what; only what was given. @throws {DhowError} `invalid_argument`, in docker's words. */
export function toLimits(flags: CreateFlags, given: Given): Partial<HostConfig> {
  return {
    ...toUpdates(flags, given),
    ...given("cgroupParent") && { CgroupParent: flags.cgroupParent },
    ...given("memorySwappiness") && { MemorySwappiness: flags.memorySwappiness },
    ...given("oomKillDisable") && { OomKillDisable: flags.oomKillDisable },
    ...given("deviceCgroupRule") && { DeviceCgroupRules: flags.deviceCgroupRule.map(checkRule) },
    ...given("blkioWeightDevice") && {
      BlkioWeightDevice: flags.blkioWeightDevice.map(parseWeightDevice),
    },
    ...given("deviceReadBps") && { BlkioDeviceReadBps: flags.deviceReadBps.map(parseBps) },
    ...given("deviceWriteBps") && { BlkioDeviceWriteBps: flags.deviceWriteBps.map(parseBps) },
    ...given("deviceReadIops") && { BlkioDeviceReadIOps: flags.deviceReadIops.map(parseIops) },
    ...given("deviceWriteIops") && { BlkioDeviceWriteIOps: flags.deviceWriteIops.map(parseIops) },
  };
}

/** The flags that `update` has too. */
export type UpdateFlags = Pick<
  CreateFlags,
  | "blkioWeight"
  | "cpuPeriod"
  | "cpuQuota"
  | "cpuRtPeriod"
  | "cpuRtRuntime"
  | "cpuShares"
  | "cpus"
  | "cpusetCpus"
  | "cpusetMems"
  | "memory"
  | "memoryReservation"
  | "memorySwap"
  | "pidsLimit"
>;

/** As {@linkcode toLimits}, of what can be changed later. */
export function toUpdates(flags: UpdateFlags, given: Given): Partial<HostConfig> {
  for (const flag of ["cpuRtPeriod", "cpuRtRuntime"] as const) {
    if (!given(flag) || flags[flag] === 0) continue;
    throw new DhowError(
      "unsupported",
      `--${flagName(flag)}: cgroup v2 has no real-time scheduling for containers`,
    );
  }
  return {
    ...given("blkioWeight") && { BlkioWeight: flags.blkioWeight },
    ...given("cpuPeriod") && { CpuPeriod: flags.cpuPeriod },
    ...given("cpuQuota") && { CpuQuota: flags.cpuQuota },
    ...given("cpuShares") && { CpuShares: flags.cpuShares },
    ...given("cpus") && { NanoCpus: parseCpus(flags.cpus) },
    ...given("cpusetCpus") && { CpusetCpus: flags.cpusetCpus },
    ...given("cpusetMems") && { CpusetMems: flags.cpusetMems },
    ...given("memory") && { Memory: flags.memory },
    ...given("memoryReservation") && { MemoryReservation: flags.memoryReservation },
    ...given("memorySwap") && { MemorySwap: flags.memorySwap },
    ...given("pidsLimit") && { PidsLimit: flags.pidsLimit },
  };
}

/** `1.5`, or `3/2`, as billionths of a processor. */
function parseCpus(text: string): number {
  const [numerator, denominator = "1"] = text.split("/");
  const nano = Number(numerator) * 1e9 / Number(denominator);
  if (Math.abs(nano - Math.round(nano)) > 1e-6) throw invalid("value is too precise");
  return Math.round(nano);
}

function splitDevice(text: string): [path: string, value: string] {
  const at = text.lastIndexOf(":");
  const path = text.slice(0, Math.max(at, 0)), value = text.slice(at + 1);
  if (path === "" || value === "") throw invalid(`bad format: ${text}`);
  if (!path.startsWith("/dev/")) throw invalid(`bad format for device path: ${text}`);
  return [path, value];
}

function parseWeightDevice(text: string): { Path: string; Weight: number } {
  const [Path, value] = splitDevice(text);
  const Weight = Number(value);
  if (!/^\d+$/.test(value) || Weight > 0 && (Weight < 10 || Weight > 1000)) {
    throw invalid(`invalid weight for device: ${text}`);
  }
  return { Path, Weight };
}

function parseBps(text: string): ThrottleDevice {
  const [Path, value] = splitDevice(text);
  try {
    return { Path, Rate: parseBytes(value) };
  } catch {
    throw invalid(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
    );
  }
}

function parseIops(text: string): ThrottleDevice {
  const [Path, value] = splitDevice(text);
  if (!/^\d+$/.test(value)) {
    throw invalid(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`,
    );
  }
  return { Path, Rate: Number(value) };
}

function checkRule(rule: string): string {
  if (/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(rule)) return rule;
  throw invalid(`invalid device cgroup format '${rule}'`);
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
