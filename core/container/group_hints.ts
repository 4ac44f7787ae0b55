/**
 * What has to be known of control groups in the way of every start and end; the rest is loaded where there are some.
 *
 * @module
 */
import { isThere } from "../host/stat.ts";
import { lazy } from "../lib/lazy.ts";
import type { HostConfig } from "../spec/docker_api.ts";

const NUMBERS = [
  "BlkioWeight",
  "CpuPeriod",
  "CpuQuota",
  "CpuShares",
  "Memory",
  "MemoryReservation",
  "MemorySwap",
  "NanoCpus",
  "PidsLimit",
] as const;
const LISTS = [
  "BlkioDeviceReadBps",
  "BlkioDeviceReadIOps",
  "BlkioDeviceWriteBps",
  "BlkioDeviceWriteIOps",
  "BlkioWeightDevice",
] as const;

/** Whether a container may need a control group. */
export function isLimited(hostConfig: HostConfig): boolean {
  const { CpusetCpus, CpusetMems, CgroupParent } = hostConfig;
  return CpusetCpus !== "" || CpusetMems !== "" || CgroupParent !== "" ||
    NUMBERS.some((name) => hostConfig[name]) || LISTS.some((name) => hostConfig[name]?.length);
}

/** Removes the group of a container that has ended. @returns Whether a process was killed for want of memory. */
export async function dropGroup(directory: string): Promise<boolean> {
  if (!isThere(`${directory}/cgroup.json`)) return false;
  const groups = await lazy<typeof import("./groups.ts")>("./groups.ts", import.meta.url);
  return groups.dropGroup(directory);
}
