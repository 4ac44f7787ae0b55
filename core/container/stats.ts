/**
 * `docker stats`: what a container uses, by its control group, or where it has none by its processes.
 *
 * @module
 */
import { readGroup } from "../cgroup/container_group.ts";
import { readUsage, type Usage } from "../cgroup/usage.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { sleep } from "../host/sleep.ts";
import { statIfThere } from "../host/stat.ts";
import type { ContainerStats, NetworkStats } from "../spec/docker_stats.ts";
import { containerPids } from "./container_top.ts";
import { usesBridges } from "./endpoints.ts";
import { readProcess } from "./process_info.ts";
import { containerDirectory, type ContainerRecord, readRecord } from "./record.ts";
import { isRunning, readState } from "./state.ts";

/** /proc counts in these: 10 ms. */
const TICK_NS = 10_000_000;
/** When nothing was measured yet. */
const NEVER = "0001-01-01T00:00:00Z";

/** Between two measurements, in milliseconds. */
const INTERVAL_MS = 1000;

/** Measures container `id`: once or, with `stream`, once a second until it is removed. */
export async function* followStats(
  paths: StorePaths,
  id: string,
  options: { stream?: boolean; oneShot?: boolean; signal?: AbortSignal } = {},
): AsyncGenerator<ContainerStats> {
  const { stream = false, oneShot = false, signal } = options;
  let before = measureContainer(paths, id);
  if (oneShot || !isMeasured(before)) yield before;
  if (!stream && (oneShot || !isMeasured(before))) return;
  for (;;) {
    await sleep(INTERVAL_MS);
    if (signal?.aborted) return;
    let now: ContainerStats;
    try {
      now = measureContainer(paths, id);
    } catch (error) {
      if (error instanceof DhowError && error.code === "not_found") return;
      throw error;
    }
    yield { ...now, preread: before.read, precpu_stats: before.cpu_stats };
    if (!stream) return;
    before = now;
  }
}

function isMeasured({ read }: ContainerStats): boolean {
  return read !== NEVER;
}

/** What container `id` uses now; of one that does not run, nothing. The counters before are left to the caller. */
export function measureContainer(paths: StorePaths, id: string): ContainerStats {
  const record = readRecord(paths, id);
  const { status, pid } = readState(containerDirectory(paths, id));
  const head = { id, name: `/${record.name}`, preread: NEVER, precpu_stats: emptyCpu() };
  if (!isRunning(status) || pid <= 0) {
    return {
      ...head,
      read: NEVER,
      pids_stats: {},
      cpu_stats: emptyCpu(),
      memory_stats: {},
      blkio_stats: { io_service_bytes_recursive: null },
    };
  }
  const usage = measure(paths, record, pid);
  return {
    ...head,
    read: new Date().toISOString(),
    pids_stats: {
      current: usage.pids.current,
      ...usage.pids.limit !== undefined && { limit: usage.pids.limit },
    },
    cpu_stats: cpuStats(usage),
    memory_stats: {
      usage: usage.memory.usage,
      stats: usage.memory.details,
      limit: usage.memory.limit ?? Deno.systemMemoryInfo().total,
    },
    blkio_stats: { io_service_bytes_recursive: ioStats(usage) },
    ...usesBridges(record) && { networks: readNetworks(pid) },
  };
}

function emptyCpu(): ContainerStats["cpu_stats"] {
  return {
    cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  };
}

function cpuStats({ cpu, throttled }: Usage): ContainerStats["cpu_stats"] {
  return {
    cpu_usage: {
      total_usage: cpu.total,
      usage_in_kernelmode: cpu.system,
      usage_in_usermode: cpu.user,
    },
    system_cpu_usage: systemCpu(),
    online_cpus: navigator.hardwareConcurrency,
    throttling_data: {
      periods: throttled?.periods ?? 0,
      throttled_periods: throttled?.throttledPeriods ?? 0,
      throttled_time: throttled?.time ?? 0,
    },
  };
}

/** Nanoseconds that all processors together have had, idle or not. */
function systemCpu(): number {
  const line = Deno.readTextFileSync("/proc/stat").split("\n", 1)[0] ?? "";
  // Time of guests is within that of their hosts.
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return TICK_NS * ticks.reduce((sum, tick) => sum + tick, 0);
}

function ioStats({ io }: Usage): ContainerStats["blkio_stats"]["io_service_bytes_recursive"] {
  return io.flatMap(({ major, minor, read, written }) => [
    { major, minor, op: "read", value: read },
    { major, minor, op: "write", value: written },
  ]);
}

function measure(paths: StorePaths, record: ContainerRecord, pid: number): Usage {
  const group = readGroup(containerDirectory(paths, record.id));
  if (group !== undefined && statIfThere(group.path) !== undefined) {
    const usage = readUsage(group.path);
    // A group without the controllers counts time, and nothing else.
    if (usage.memory.usage > 0 && usage.pids.current > 0) return usage;
    return { ...measureProcesses(pid), cpu: usage.cpu };
  }
  return measureProcesses(pid);
}

/** The sum over all processes that there are, and those of theirs that have ended. */
function measureProcesses(init: number): Usage {
  const usage: Usage = {
    cpu: { total: 0, user: 0, system: 0 },
    memory: { usage: 0, details: {} },
    pids: { current: 0 },
    io: [],
  };
  let read = 0, written = 0;
  for (const pid of containerPids(init)) {
    const found = readProcess(pid);
    if (found === undefined) continue;
    const children = childTicks(pid);
    usage.cpu.user += TICK_NS * (found.utime + children.user);
    usage.cpu.system += TICK_NS * (found.stime + children.system);
    usage.memory.usage += proportionalSize(pid) ?? 1024 * found.rssKb;
    usage.pids.current += found.threads;
    const io = readKeyValues(`/proc/${pid}/io`);
    read += io.get("read_bytes") ?? 0;
    written += io.get("write_bytes") ?? 0;
  }
  usage.cpu.total = usage.cpu.user + usage.cpu.system;
  usage.io = [{ major: 0, minor: 0, read, written }];
  return usage;
}

/** Ticks of children that have ended and were waited for. */
function childTicks(pid: number): { user: number; system: number } {
  const stat = readOr(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { user: Number(fields[13] ?? 0), system: Number(fields[14] ?? 0) };
}

/** Bytes, with pages that several processes share divided among them; undefined where the kernel does not say. */
function proportionalSize(pid: number): number | undefined {
  const kilobytes = readKeyValues(`/proc/${pid}/smaps_rollup`).get("Pss");
  return kilobytes === undefined ? undefined : 1024 * kilobytes;
}

/** Lines `KEY: NUMBER`. */
function readKeyValues(file: string): Map<string, number> {
  const lines = readOr(file).matchAll(/^(\w+):\s+(\d+)/gm);
  return new Map([...lines].map(([, key, value]) => [key!, Number(value)]));
}

function readOr(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    return "";
  }
}

/** The container's interfaces but `lo`, from /proc/PID/net/dev. */
function readNetworks(pid: number): Record<string, NetworkStats> {
  const networks: Record<string, NetworkStats> = {};
  for (const line of readOr(`/proc/${pid}/net/dev`).split("\n").slice(2)) {
    const [name, numbers] = line.split(":");
    if (name === undefined || numbers === undefined || name.trim() === "lo") continue;
    const field = numbers.trim().split(/\s+/).map(Number);
    networks[name.trim()] = {
      rx_bytes: field[0] ?? 0,
      rx_packets: field[1] ?? 0,
      rx_errors: field[2] ?? 0,
      rx_dropped: field[3] ?? 0,
      tx_bytes: field[8] ?? 0,
      tx_packets: field[9] ?? 0,
      tx_errors: field[10] ?? 0,
      tx_dropped: field[11] ?? 0,
    };
  }
  return networks;
}
