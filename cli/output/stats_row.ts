/**
 * A container as `stats` shows it.
 *
 * @module
 */
import { formatBinarySize, formatSize } from "../../core/lib/units.ts";
import type { ContainerStats } from "../../core/spec/docker_api.ts";
import { type Row, shortId } from "./rows.ts";

/** Titles of the columns. */
export const statsHeaders = {
  Container: "CONTAINER",
  ID: "CONTAINER ID",
  Name: "NAME",
  CPUPerc: "CPU %",
  MemUsage: "MEM USAGE / LIMIT",
  MemPerc: "MEM %",
  NetIO: "NET I/O",
  BlockIO: "BLOCK I/O",
  PIDs: "PIDS",
} as const;

/** Fields of docker's default table. */
export const statsColumns: readonly string[] = [
  "ID",
  "Name",
  "CPUPerc",
  "MemUsage",
  "MemPerc",
  "NetIO",
  "BlockIO",
  "PIDs",
];

/** Everything `--format` can show. @param container What the container was called by. */
export function toStatsRow(
  container: string,
  stats: ContainerStats,
  options: { truncate: boolean },
): Row {
  const { memory_stats: memory, networks = {}, blkio_stats: blkio } = stats;
  // As docker: what the kernel would give back at once does not count.
  const used = Math.max(0, (memory.usage ?? 0) - (memory.stats?.inactive_file ?? 0));
  const limit = memory.limit ?? 0;
  const nets = Object.values(networks);
  const received = nets.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0);
  const sent = nets.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0);
  const bytes = (op: string) =>
    (blkio.io_service_bytes_recursive ?? []).filter((entry) => entry.op === op)
      .reduce((sum, { value }) => sum + value, 0);
  const percent = (part: number, whole: number) =>
    `${(whole > 0 ? 100 * part / whole : 0).toFixed(2)}%`;
  return {
    BlockIO: `${formatSize(bytes("read"))} / ${formatSize(bytes("write"))}`,
    CPUPerc: `${cpuPercent(stats).toFixed(2)}%`,
    Container: container,
    ID: options.truncate ? shortId(stats.id) : stats.id,
    MemPerc: percent(used, limit),
    MemUsage: `${formatBinarySize(used)} / ${formatBinarySize(limit)}`,
    Name: stats.name.replace(/^\//, ""),
    NetIO: `${formatSize(received)} / ${formatSize(sent)}`,
    PIDs: String(stats.pids_stats.current ?? 0),
  };
}

/** Of one processor. */
function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const had = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  if (used <= 0 || had <= 0 || before.system_cpu_usage === undefined) return 0;
  return 100 * used / had * (now.online_cpus ?? 1);
}
