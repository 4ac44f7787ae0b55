/**
 * A process as /proc shows it, read once.
 *
 * @see man 5 proc
 * @module
 */

/** What `ps` columns are made of. Times are in clock ticks of 10 ms. */
export interface ProcessInfo {
  pid: number;
  ppid: number;
  pgrp: number;
  session: number;
  /** `R`, `S`, `D`, `Z`, `T`, `t`, `I`. */
  state: string;
  /** Name, up to 15 bytes. */
  comm: string;
  /** Arguments; empty for zombies and kernel threads. */
  args: string[];
  ttyNumber: number;
  terminalGroup: number;
  flags: number;
  utime: number;
  stime: number;
  /** Since boot. */
  startTime: number;
  priority: number;
  nice: number;
  threads: number;
  processor: number;
  realtimePriority: number;
  policy: number;
  /** Bytes. */
  virtualSize: number;
  rssKb: number;
  lockedKb: number;
  /** Real, effective. */
  uids: [number, number];
  gids: [number, number];
  wchan: string;
  cgroup: string;
}

/** The process `pid`, or undefined if it is gone. */
export function readProcess(pid: number): ProcessInfo | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return { ...parseStat(stat), ...parseStatus(status), ...readRest(pid) };
  } catch {
    return undefined;
  }
}

/** The name may hold spaces and parentheses, so the fields count from the last one. */
function parseStat(text: string) {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const fields = text.slice(close + 2).trim().split(" ");
  // Field numbers as in proc(5); field 3 is the first behind the name.
  const field = (number: number) => Number(fields[number - 3] ?? 0);
  return {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state: fields[0] ?? "?",
    ppid: field(4),
    pgrp: field(5),
    session: field(6),
    ttyNumber: field(7),
    terminalGroup: field(8),
    flags: field(9),
    utime: field(14),
    stime: field(15),
    priority: field(18),
    nice: field(19),
    threads: field(20),
    startTime: field(22),
    virtualSize: field(23),
    processor: field(39),
    realtimePriority: field(40),
    policy: field(41),
  };
}

function parseStatus(text: string) {
  const numbers = (key: string): number[] => {
    const line = new RegExp(`^${key}:\\s+(.*)$`, "m").exec(text)?.[1] ?? "0";
    return line.split(/\s+/).map((word) => parseInt(word));
  };
  const pair = (key: string): [number, number] => {
    const [real = 0, effective = 0] = numbers(key);
    return [real, effective];
  };
  return {
    uids: pair("Uid"),
    gids: pair("Gid"),
    rssKb: numbers("VmRSS")[0] ?? 0,
    lockedKb: numbers("VmLck")[0] ?? 0,
  };
}

function readRest(pid: number) {
  const cmdline = readOr(`/proc/${pid}/cmdline`, "");
  const cgroup = readOr(`/proc/${pid}/cgroup`, "").trim().split("\n").at(-1) ?? "";
  return {
    args: cmdline === "" ? [] : cmdline.replace(/\0$/, "").split("\0"),
    wchan: readOr(`/proc/${pid}/wchan`, "-"),
    cgroup,
  };
}

function readOr(path: string, otherwise: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return otherwise;
  }
}
