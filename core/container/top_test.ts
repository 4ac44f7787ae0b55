import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import type { ProcessInfo } from "./process_info.ts";
import { parsePsArgs, topTable } from "./top.ts";
import { topColumn, type TopContext } from "./top_columns.ts";

const titles = (...args: string[]) => parsePsArgs(args).map((column) => column.title).join(" ");

Deno.test("parsePsArgs() knows the usual forms", () => {
  const full = "UID PID PPID C STIME TTY TIME CMD";
  const user = "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND";
  assertEquals(titles("-ef"), full);
  assertEquals(titles("-e", "-f"), full);
  assertEquals(titles("aux"), user);
  assertEquals(titles("-e"), "PID TTY TIME CMD");
  assertEquals(titles("ax"), "PID TTY STAT TIME COMMAND");
  assertEquals(titles("-l"), "F S UID PID PPID C PRI NI ADDR SZ WCHAN TTY TIME CMD");
  assertEquals(titles("-o", "pid,comm"), "PID COMMAND");
  assertEquals(titles("-eo", "pid,user=WHO,cmd"), "PID WHO CMD");
  assertEquals(titles("o", "pid"), "PID");
  assertEquals(titles("-opid", "-o", "args"), "PID COMMAND");
  assertEquals(titles("--format=pid,tty"), "PID TTY");
});

Deno.test("topTable() wants columns ps knows, with a pid among them", () => {
  assertThrows(() => topTable([], ["-o", "comm"]), DhowError, "Couldn't find PID field");
  const unknown = 'unknown user-defined format specifier "foo"';
  assertThrows(() => topTable([], ["-o", "foo"]), DhowError, unknown);
});

Deno.test("topTable() shows live processes and leaves out dead ones", () => {
  const { titles, processes } = topTable([Deno.pid, 2 ** 22 + 1]);
  assertEquals(titles, ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
  assertEquals(processes.length, 1);
  const [, pid, ppid, , , , time, cmd] = processes[0]!;
  assertEquals([pid, ppid], [`${Deno.pid}`, `${Deno.ppid}`]);
  assertMatch(time!, /^\d\d:\d\d:\d\d$/);
  assertMatch(cmd!, /deno/);
});

Deno.test("every column has a text", () => {
  const names = "pid,ppid,pgid,sid,uid,gid,euser,ruser,group,ni,pri,stat,s,tty,time,etime,stime," +
    "start,lstart,pcpu,%cpu,pmem,%mem,rss,vsz,sz,wchan,nlwp,cls,psr,comm,ucmd,args,command,cgroup";
  const { processes } = topTable([Deno.pid], ["-eo", names]);
  assertEquals(processes[0]?.length, names.split(",").length);
  for (const text of processes[0]!) assertEquals(typeof text, "string");
});

const info: ProcessInfo = {
  pid: 42,
  ppid: 1,
  pgrp: 42,
  session: 42,
  state: "S",
  comm: "sleep",
  args: ["sleep", "1000"],
  ttyNumber: 136 << 8 | 3,
  terminalGroup: 42,
  flags: 0x400100,
  utime: 9000_00,
  stime: 61_00,
  startTime: 100_00,
  priority: 20,
  nice: 0,
  threads: 2,
  processor: 1,
  realtimePriority: 0,
  policy: 0,
  virtualSize: 4096 * 1000,
  rssKb: 500,
  lockedKb: 0,
  uids: [1000, 0],
  gids: [1000, 0],
  wchan: "0",
  cgroup: "0::/",
};

const context: TopContext = {
  nowMs: Date.UTC(2026, 10, 22, 12, 0, 0),
  bootTime: Date.UTC(2026, 10, 20, 10, 58, 20) / 1000,
  memoryKb: 100_000,
  userName: (uid) => uid === 0 ? "root" : "web",
  groupName: () => "g",
};

Deno.test("columns read as ps writes them", () => {
  const text = (name: string, more: Partial<ProcessInfo> = {}) =>
    topColumn(name)!.text({ ...info, ...more }, context);
  assertEquals([text("user"), text("ruser"), text("uid")], ["root", "web", "0"]);
  assertEquals([text("tty"), text("tty", { ttyNumber: 0 })], ["pts/3", "?"]);
  assertEquals([text("time"), text("bsdtime")], ["02:31:01", "151:01"]);
  assertEquals(text("time", { utime: 90_000_00 }), "1-01:01:01");
  assertEquals([text("etime"), text("etimes")], ["2-01:00:00", "176400"]);
  assertEquals([text("stat"), text("s")], ["Ssl+", "S"]);
  assertEquals([text("c"), text("%cpu"), text("%mem")], ["5", "5.1", "0.5"]);
  assertEquals([text("vsz"), text("sz"), text("rss")], ["4000", "1000", "500"]);
  assertEquals(text("stime"), "Nov20");
  assertEquals([text("ni"), text("pri"), text("cls"), text("wchan")], ["0", "19", "TS", "-"]);
  assertEquals(text("cmd"), "sleep 1000");
  assertEquals(text("cmd", { state: "Z", args: [] }), "[sleep] <defunct>");
  assertEquals(text("comm", { state: "Z" }), "sleep <defunct>");
});
