/**
 * What a control group uses.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html
 * @module
 */
import { readGroupFile } from "./hierarchy.ts";
import { readKeyed } from "./container_group.ts";

/** What processes use, or have used. */
export interface Usage {
  /** Nanoseconds. */
  cpu: { total: number; user: number; system: number };
  /** Nanoseconds that processes had to wait for their share, and how often. */
  throttled?: { periods: number; throttledPeriods: number; time: number };
  /** Bytes. */
  memory: { usage: number; limit?: number; details: Record<string, number> };
  pids: { current: number; limit?: number };
  /** Bytes read and written, by device. */
  io: { major: number; minor: number; read: number; written: number }[];
}

/** Reads it; what the group's controllers do not count is 0. */
export function readUsage(path: string): Usage {
  const cpu = readKeyed(`${path}/cpu.stat`);
  const micros = (key: string) => 1000 * (cpu.get(key) ?? 0);
  const memoryLimit = readLimit(`${path}/memory.max`);
  const pidsLimit = readLimit(`${path}/pids.max`);
  return {
    cpu: {
      total: micros("usage_usec"),
      user: micros("user_usec"),
      system: micros("system_usec"),
    },
    throttled: {
      periods: cpu.get("nr_periods") ?? 0,
      throttledPeriods: cpu.get("nr_throttled") ?? 0,
      time: micros("throttled_usec"),
    },
    memory: {
      usage: Number(readGroupFile(`${path}/memory.current`) ?? 0),
      ...memoryLimit !== undefined && { limit: memoryLimit },
      details: Object.fromEntries(readKeyed(`${path}/memory.stat`)),
    },
    pids: {
      current: Number(readGroupFile(`${path}/pids.current`) ?? 0),
      ...pidsLimit !== undefined && { limit: pidsLimit },
    },
    io: readIo(`${path}/io.stat`),
  };
}

function readLimit(file: string): number | undefined {
  const text = readGroupFile(file);
  return text === undefined || text === "max" ? undefined : Number(text);
}

/** Lines such as `8:0 rbytes=1 wbytes=2 rios=3 ...`. */
function readIo(file: string): Usage["io"] {
  return (readGroupFile(file) ?? "").split("\n").filter((line) => line !== "").map((line) => {
    const [device = "", ...fields] = line.split(" ");
    const [major = 0, minor = 0] = device.split(":").map(Number);
    const values = new Map(fields.map((field) => field.split("=") as [string, string]));
    const value = (key: string) => Number(values.get(key) ?? 0);
    return { major, minor, read: value("rbytes"), written: value("wbytes") };
  });
}
