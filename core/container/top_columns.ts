/**
 * The columns `ps -o` knows, by name.
 *
 * @see man 1 ps, STANDARD FORMAT SPECIFIERS
 * @module
 */
import type { ProcessInfo } from "./process_info.ts";

/** What columns need beside the process. */
export interface TopContext {
  /** Unix milliseconds. */
  nowMs: number;
  /** Unix seconds. */
  bootTime: number;
  memoryKb: number;
  userName: (uid: number) => string;
  groupName: (gid: number) => string;
}

/** A column: its title, and the text of a process. */
export interface TopColumn {
  title: string;
  text: (process: ProcessInfo, context: TopContext) => string;
}

/** Clock ticks a second; the same on every Linux that matters. */
const HZ = 100;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");
const POLICIES = ["TS", "FF", "RR", "B", "ISO", "IDL", "DLN"];

const COLUMNS: [names: string, title: string, text: TopColumn["text"]][] = [
  ["pid tgid", "PID", (p) => `${p.pid}`],
  ["lwp spid tid", "LWP", (p) => `${p.pid}`],
  ["ppid", "PPID", (p) => `${p.ppid}`],
  ["pgid pgrp", "PGID", (p) => `${p.pgrp}`],
  ["sid", "SID", (p) => `${p.session}`],
  ["sess session", "SESS", (p) => `${p.session}`],
  ["tpgid", "TPGID", (p) => `${p.terminalGroup}`],
  ["uid", "UID", (p) => `${p.uids[1]}`],
  ["euid", "EUID", (p) => `${p.uids[1]}`],
  ["ruid", "RUID", (p) => `${p.uids[0]}`],
  ["user uname", "USER", (p, c) => c.userName(p.uids[1])],
  ["euser", "EUSER", (p, c) => c.userName(p.uids[1])],
  ["ruser", "RUSER", (p, c) => c.userName(p.uids[0])],
  ["gid", "GID", (p) => `${p.gids[1]}`],
  ["egid", "EGID", (p) => `${p.gids[1]}`],
  ["rgid", "RGID", (p) => `${p.gids[0]}`],
  ["group", "GROUP", (p, c) => c.groupName(p.gids[1])],
  ["egroup", "EGROUP", (p, c) => c.groupName(p.gids[1])],
  ["rgroup", "RGROUP", (p, c) => c.groupName(p.gids[0])],
  ["c", "C", (p, c) => `${Math.min(99, Math.trunc(cpuShare(p, c)))}`],
  ["pcpu %cpu", "%CPU", (p, c) => cpuShare(p, c).toFixed(1)],
  ["pmem %mem", "%MEM", (p, c) => Math.min(99.9, memoryShare(p, c)).toFixed(1)],
  ["rss rssize rsz", "RSS", (p) => `${p.rssKb}`],
  ["vsz vsize", "VSZ", (p) => `${Math.trunc(p.virtualSize / 1024)}`],
  ["sz", "SZ", (p) => `${Math.trunc(p.virtualSize / 4096)}`],
  ["ni nice", "NI", (p) => p.policy === 0 || p.policy === 3 ? `${p.nice}` : "-"],
  ["pri", "PRI", (p) => `${39 - p.priority}`],
  ["opri", "PRI", (p) => `${60 + p.priority}`],
  ["rtprio", "RTPRIO", (p) => p.realtimePriority > 0 ? `${p.realtimePriority}` : "-"],
  ["cls class policy", "CLS", (p) => POLICIES[p.policy] ?? "?"],
  ["psr", "PSR", (p) => `${p.processor}`],
  ["f flag flags", "F", (p) => `${(p.flags >> 6) & 7}`],
  ["stat", "STAT", fullState],
  ["s state", "S", (p) => p.state],
  ["nlwp thcount", "NLWP", (p) => `${p.threads}`],
  ["wchan", "WCHAN", (p) => p.wchan === "0" || p.wchan === "" ? "-" : p.wchan],
  ["addr", "ADDR", () => "-"],
  ["tty tt tname", "TTY", (p) => terminalName(p.ttyNumber)],
  ["time cputime", "TIME", (p) => cpuTime(p)],
  ["bsdtime", "TIME", bsdTime],
  ["times cputimes", "TIME", (p) => `${cpuSeconds(p)}`],
  ["etime", "ELAPSED", (p, c) => elapsed(ageSeconds(p, c))],
  ["etimes", "ELAPSED", (p, c) => `${Math.trunc(ageSeconds(p, c))}`],
  ["stime start_time", "STIME", shortStart],
  ["bsdstart", "START", (p, c) => bsdStart(p, c)],
  ["start", "STARTED", (p, c) => daytimeStart(p, c)],
  ["lstart", "STARTED", longStart],
  ["cgroup", "CGROUP", (p) => p.cgroup],
  ["comm ucmd ucomm", "COMMAND", shortCommand],
  ["args command", "COMMAND", commandLine],
  ["cmd", "CMD", commandLine],
];

const byName = new Map(
  COLUMNS.flatMap(([names, title, text]) =>
    names.split(" ").map((name) => [name, { title, text }])
  ),
);

/** The column called `name`, if there is one. */
export function topColumn(name: string): TopColumn | undefined {
  return byName.get(name);
}

function cpuSeconds(process: ProcessInfo): number {
  return Math.trunc((process.utime + process.stime) / HZ);
}

function startSeconds(process: ProcessInfo, { bootTime }: TopContext): number {
  return bootTime + process.startTime / HZ;
}

function ageSeconds(process: ProcessInfo, context: TopContext): number {
  return Math.max(0, context.nowMs / 1000 - startSeconds(process, context));
}

function cpuShare(process: ProcessInfo, context: TopContext): number {
  const age = ageSeconds(process, context);
  return age < 0.01 ? 0 : (process.utime + process.stime) / HZ / age * 100;
}

function memoryShare(process: ProcessInfo, { memoryKb }: TopContext): number {
  return memoryKb > 0 ? process.rssKb / memoryKb * 100 : 0;
}

function fullState(process: ProcessInfo): string {
  const { nice, lockedKb, session, pid, threads, terminalGroup, pgrp } = process;
  return process.state + (nice < 0 ? "<" : nice > 0 ? "N" : "") + (lockedKb > 0 ? "L" : "") +
    (session === pid ? "s" : "") + (threads > 1 ? "l" : "") + (terminalGroup === pgrp ? "+" : "");
}

/** @see Documentation/admin-guide/devices.txt of the kernel, for the majors. */
function terminalName(number: number): string {
  if (number === 0) return "?";
  const major = number >> 8 & 0xfff;
  const minor = (number & 0xff) | (number >> 12 & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${minor + (major - 136) * 256}`;
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  return major === 5 && minor === 1 ? "console" : `${major},${minor}`;
}

const two = (number: number) => String(number).padStart(2, "0");

function cpuTime(process: ProcessInfo): string {
  const seconds = cpuSeconds(process);
  const days = Math.trunc(seconds / 86400);
  const clock = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map(Math.trunc).map(two);
  return (days > 0 ? `${days}-` : "") + clock.join(":");
}

function bsdTime(process: ProcessInfo): string {
  const seconds = cpuSeconds(process);
  return `${Math.trunc(seconds / 60)}:${two(seconds % 60)}`;
}

function elapsed(age: number): string {
  const [days, hours, minutes, seconds] = [age / 86400, age / 3600 % 24, age / 60 % 60, age % 60]
    .map(Math.trunc) as [number, number, number, number];
  const clock = `${two(minutes)}:${two(seconds)}`;
  if (days > 0) return `${days}-${two(hours)}:${clock}`;
  return hours > 0 ? `${two(hours)}:${clock}` : clock;
}

function startDate(process: ProcessInfo, context: TopContext): Date {
  return new Date(startSeconds(process, context) * 1000);
}

function hourMinute(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

function monthDay(date: Date, separator: string): string {
  return MONTHS[date.getMonth()] + separator + two(date.getDate());
}

/** The time today, the day this year, else the year. */
function shortStart(process: ProcessInfo, context: TopContext): string {
  const [start, now] = [startDate(process, context), new Date(context.nowMs)];
  if (start.getFullYear() !== now.getFullYear()) return `${start.getFullYear()}`;
  const isToday = start.getMonth() === now.getMonth() && start.getDate() === now.getDate();
  return isToday ? hourMinute(start) : monthDay(start, "");
}

function bsdStart(process: ProcessInfo, context: TopContext): string {
  const start = startDate(process, context);
  return ageSeconds(process, context) < 86400 ? hourMinute(start) : monthDay(start, " ");
}

function daytimeStart(process: ProcessInfo, context: TopContext): string {
  const start = startDate(process, context);
  if (ageSeconds(process, context) >= 86400) return monthDay(start, " ");
  return `${hourMinute(start)}:${two(start.getSeconds())}`;
}

function longStart(process: ProcessInfo, context: TopContext): string {
  const start = startDate(process, context);
  const day = String(start.getDate()).padStart(2);
  const clock = `${hourMinute(start)}:${two(start.getSeconds())}`;
  return `${DAYS[start.getDay()]} ${
    MONTHS[start.getMonth()]
  } ${day} ${clock} ${start.getFullYear()}`;
}

function shortCommand({ comm, state }: ProcessInfo): string {
  return state === "Z" ? `${comm} <defunct>` : comm;
}

/** What it was started with; in brackets what has no arguments left. */
function commandLine(process: ProcessInfo): string {
  if (process.state === "Z") return `[${process.comm}] <defunct>`;
  if (process.args.length === 0) return `[${process.comm}]`;
  return process.args.join(" ").replaceAll(/[\n\t]/g, " ").trimEnd();
}
