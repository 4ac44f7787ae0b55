/**
 * Docker's resource limits as settings of a control group.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html
 * @module
 */
import { DhowError } from "../errors.ts";
import { parseCpuSet } from "../lib/cpu_set.ts";
import type { HostConfig } from "../spec/docker_api.ts";

/** What docker has limits for. */
export type Limits = Pick<
  HostConfig,
  | "BlkioDeviceReadBps"
  | "BlkioDeviceReadIOps"
  | "BlkioDeviceWriteBps"
  | "BlkioDeviceWriteIOps"
  | "BlkioWeight"
  | "BlkioWeightDevice"
  | "CpuPeriod"
  | "CpuQuota"
  | "CpuShares"
  | "CpusetCpus"
  | "CpusetMems"
  | "Memory"
  | "MemoryReservation"
  | "MemorySwap"
  | "NanoCpus"
  | "PidsLimit"
>;

/** A controller of the unified hierarchy. */
export type Controller = "cpu" | "cpuset" | "io" | "memory" | "pids";

/** What is to be written to a file of a group. */
export interface Setting {
  controller: Controller;
  /** The flag that asks for it, for messages. */
  flag: string;
  file: string;
  value: string;
  /** Nobody asked for it by name: where the kernel lacks the file, so be it. */
  isImplied?: boolean;
}

/** `cpu.max`'s period where nobody says otherwise, in microseconds. */
const CPU_PERIOD = 100_000;

/**
 * The settings that limits mean; none where nothing is limited.
 *
 * @param deviceNumber Answers `MAJOR:MINOR` of a block device.
 */
export function groupSettings(
  limits: Limits,
  deviceNumber: (path: string) => string,
): Setting[] {
  return [
    ...memorySettings(limits),
    ...cpuSettings(limits),
    ...pidsSettings(limits),
    ...ioSettings(limits, deviceNumber),
  ];
}

/** Whether anything is limited. */
export function hasLimits(limits: Limits): boolean {
  return groupSettings(limits, () => "0:0").some(({ isImplied }) => !isImplied);
}

function memorySettings({ Memory, MemorySwap, MemoryReservation }: Limits): Setting[] {
  const settings: Setting[] = [];
  const add = (flag: string, file: string, value: number | string, isImplied?: boolean) =>
    settings.push({
      controller: "memory",
      flag,
      file: `memory.${file}`,
      value: String(value),
      ...isImplied && { isImplied },
    });
  if (Memory > 0) add("--memory", "max", Memory);
  if (MemorySwap === -1) add("--memory-swap", "swap.max", "max");
  else if (MemorySwap > 0) {
    // As docker, where nobody says otherwise: as much swap again as memory.
    add("--memory-swap", "swap.max", MemorySwap - Memory, MemorySwap === 2 * Memory);
  } else if (Memory > 0) add("--memory", "swap.max", Memory, true);
  if (MemoryReservation > 0) add("--memory-reservation", "low", MemoryReservation);
  return settings;
}

function cpuSettings(limits: Limits): Setting[] {
  const { CpuShares, NanoCpus, CpuPeriod, CpuQuota, CpusetCpus, CpusetMems } = limits;
  const settings: Setting[] = [];
  const cpu = (flag: string, file: string, value: string) =>
    settings.push({ controller: "cpu", flag, file, value });
  if (CpuShares > 0) cpu("--cpu-shares", "cpu.weight", String(weightOfShares(CpuShares)));
  if (NanoCpus > 0) {
    cpu("--cpus", "cpu.max", `${Math.round(NanoCpus / 1e9 * CPU_PERIOD)} ${CPU_PERIOD}`);
  } else if (CpuQuota !== 0 || CpuPeriod > 0) {
    const flag = CpuQuota === 0 ? "--cpu-period" : "--cpu-quota";
    const quota = CpuQuota > 0 ? String(CpuQuota) : "max";
    cpu(flag, "cpu.max", `${quota} ${CpuPeriod || CPU_PERIOD}`);
  }
  for (
    const [flag, file, value] of [
      ["--cpuset-cpus", "cpuset.cpus", CpusetCpus],
      ["--cpuset-mems", "cpuset.mems", CpusetMems],
    ] as const
  ) {
    if (value !== "") settings.push({ controller: "cpuset", flag, file, value });
  }
  return settings;
}

/** Shares go from 2 to 262144, weights from 1 to 10000, both around a middle of 1024 and some 40: as runc has it. */
function weightOfShares(shares: number): number {
  const bounded = Math.min(Math.max(shares, 2), 262144);
  return 1 + Math.floor((bounded - 2) * 9999 / 262142);
}

function pidsSettings({ PidsLimit }: Limits): Setting[] {
  if (PidsLimit === null || PidsLimit === 0) return [];
  const value = PidsLimit < 0 ? "max" : String(PidsLimit);
  const implied = PidsLimit < 0 && { isImplied: true };
  return [{ controller: "pids", flag: "--pids-limit", file: "pids.max", value, ...implied }];
}

function ioSettings(limits: Limits, deviceNumber: (path: string) => string): Setting[] {
  const settings: Setting[] = [];
  const io = (flag: string, file: string, value: string) =>
    settings.push({ controller: "io", flag, file, value });
  // The weights of io.weight go from 1 to 10000, docker's and BFQ's from 10 or 1 to 1000.
  const weight = (value: number) => 1 + Math.floor((value - 10) * 9999 / 990);
  if (limits.BlkioWeight > 0) {
    io("--blkio-weight", "io.weight", `default ${weight(limits.BlkioWeight)}`);
  }
  for (const { Path, Weight } of limits.BlkioWeightDevice ?? []) {
    io("--blkio-weight-device", "io.weight", `${deviceNumber(Path)} ${weight(Weight)}`);
  }
  const throttles = [
    ["--device-read-bps", "rbps", limits.BlkioDeviceReadBps],
    ["--device-write-bps", "wbps", limits.BlkioDeviceWriteBps],
    ["--device-read-iops", "riops", limits.BlkioDeviceReadIOps],
    ["--device-write-iops", "wiops", limits.BlkioDeviceWriteIOps],
  ] as const;
  for (const [flag, key, devices] of throttles) {
    for (const { Path, Rate } of devices ?? []) {
      io(flag, "io.max", `${deviceNumber(Path)} ${key}=${Rate === 0 ? "max" : Rate}`);
    }
  }
  return settings;
}

const MIN_MEMORY = 6 * 1024 * 1024;

/**
 * Refuses limits that no container can have.
 *
 * @param cpuCount How many processors there are.
 * @throws {DhowError} `invalid_argument`, in docker's words.
 */
export function assertLimits(
  limits: Limits & Pick<HostConfig, "MemorySwappiness" | "OomKillDisable">,
  cpuCount: number,
): void {
  for (const wrong of wrongs(limits, cpuCount)) throw new DhowError("invalid_argument", wrong);
}

function* wrongs(
  limits: Limits & Pick<HostConfig, "MemorySwappiness" | "OomKillDisable">,
  cpuCount: number,
): Generator<string> {
  const { Memory, MemorySwap, MemoryReservation, MemorySwappiness, OomKillDisable } = limits;
  const { NanoCpus, CpuPeriod, CpuQuota } = limits;
  if (Memory !== 0 && Memory < MIN_MEMORY) yield "Minimum memory limit allowed is 6MB";
  if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory) {
    yield "Minimum memoryswap limit should be larger than memory limit, see usage";
  }
  if (Memory === 0 && MemorySwap > 0) {
    yield "You should always set the Memory limit when using Memoryswap limit, see usage";
  }
  if (MemorySwappiness !== null && (MemorySwappiness < -1 || MemorySwappiness > 100)) {
    yield `Invalid value: ${MemorySwappiness}, valid memory swappiness range is 0-100`;
  }
  if (MemoryReservation > 0 && MemoryReservation < MIN_MEMORY) {
    yield "Minimum memory reservation allowed is 6MB";
  }
  if (Memory > 0 && MemoryReservation > 0 && Memory < MemoryReservation) {
    yield "Minimum memory limit can not be less than memory reservation limit, see usage";
  }
  if (OomKillDisable) {
    yield "--oom-kill-disable: cgroup v2 always ends a process of a container that is out of memory; leave the flag out";
  }
  if (NanoCpus > 0 && CpuPeriod > 0) {
    yield "Conflicting options: Nano CPUs and CPU Period cannot both be set";
  }
  if (NanoCpus > 0 && CpuQuota > 0) {
    yield "Conflicting options: Nano CPUs and CPU Quota cannot both be set";
  }
  if (NanoCpus < 0 || NanoCpus > cpuCount * 1e9) {
    yield `range of CPUs is from 0.01 to ${
      cpuCount.toFixed(2)
    }, as there are only ${cpuCount} CPUs available`;
  }
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000)) {
    yield "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)";
  }
  if (CpuQuota > 0 && CpuQuota < 1000) {
    yield "CPU cfs quota can not be less than 1ms (i.e. 1000)";
  }
  yield* wrongSets(limits, cpuCount);
  const weight = limits.BlkioWeight;
  if (weight !== 0 && (weight < 10 || weight > 1000)) {
    yield "Range of blkio weight is from 10 to 1000";
  }
}

function* wrongSets({ CpusetCpus, CpusetMems }: Limits, cpuCount: number): Generator<string> {
  const cpus = parseCpuSet(CpusetCpus), mems = parseCpuSet(CpusetMems);
  if (cpus === undefined) yield `Invalid value ${CpusetCpus} for cpuset cpus`;
  if (mems === undefined) yield `Invalid value ${CpusetMems} for cpuset mems`;
  if (cpus?.some((cpu) => cpu >= cpuCount)) {
    const all = cpuCount === 1 ? "0" : `0-${cpuCount - 1}`;
    yield `Requested CPUs are not available - requested ${CpusetCpus}, available: ${all}`;
  }
}
