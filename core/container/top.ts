/**
 * `docker top`: what `ps` would say of a container's processes, from /proc alone.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { type ProcessInfo, readProcess } from "./process_info.ts";
import { type TopColumn, topColumn, type TopContext } from "./top_columns.ts";

/** Titles, and a row of texts for each process. */
export interface TopTable {
  titles: string[];
  processes: string[][];
}

const FULL = "user=UID pid ppid c stime tty time cmd";
const USER = "user pid %cpu %mem vsz rss tty stat bsdstart bsdtime=TIME args";
const LONG = "f s uid pid ppid c opri ni addr sz wchan tty time comm=CMD";
const FULL_LONG = "f s user=UID pid ppid c opri ni addr sz wchan stime tty time cmd";
const EXTRA_FULL = "user=UID pid ppid c sz rss psr stime tty time cmd";
const BSD = "pid tty stat bsdtime=TIME args";
const PLAIN = "pid tty time comm=CMD";
const BSD_LONG = "f uid pid ppid pri ni vsz rss wchan stat tty bsdtime=TIME args";

/**
 * The table for processes `pids`, as host pids; those that have ended are left out.
 *
 * @param psArgs Arguments of ps(1). @default ["-ef"]
 * @throws {DhowError} `invalid_argument` for formats ps does not know, or without a pid, as docker wants one.
 */
export function topTable(pids: Iterable<number>, psArgs: readonly string[] = []): TopTable {
  const columns = parsePsArgs(psArgs.length > 0 ? psArgs : ["-ef"]);
  if (!columns.some((column) => column.title === "PID")) {
    throw new DhowError("invalid_argument", "Couldn't find PID field in ps output");
  }
  const context = readContext();
  const processes = Array.from(new Set(pids), readProcess)
    .filter((process): process is ProcessInfo => process !== undefined)
    .sort((a, b) => a.pid - b.pid);
  return {
    titles: columns.map((column) => column.title),
    processes: processes.map((process) => columns.map((column) => column.text(process, context))),
  };
}

/** The columns that arguments of ps(1) ask for: `-ef`, `aux`, `-o pid,comm`, `-eo pid,user=WHO`, `-l`. */
export function parsePsArgs(args: readonly string[]): TopColumn[] {
  const words = args.flatMap((arg) => arg.split(/\s+/)).filter((word) => word !== "");
  const formats: string[] = [];
  let unix = "";
  let bsd = "";
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const long = /^--format(?:=(.*))?$/.exec(word);
    if (long) {
      formats.push(long[1] ?? words[++i] ?? "");
      continue;
    }
    if (word.startsWith("--")) continue;
    // Letters up to `o`, whose value is the rest or the next word.
    const [, dash = "", letters = "", rest] = /^(-?)([^oO]*)(?:[oO](.*))?$/s.exec(word)!;
    if (dash === "" && /^\d/.test(word)) continue;
    assertOptions(letters, word);
    if (dash === "") bsd += letters || "x";
    else unix += letters;
    if (rest !== undefined) formats.push(rest === "" ? words[++i] ?? "" : rest);
  }
  return formats.length > 0 ? formats.flatMap(parseFormat) : parseFormat(preset(unix, bsd));
}

function assertOptions(letters: string, word: string): void {
  if (/^[a-zA-Z]*$/.test(letters)) return;
  throw new DhowError("invalid_argument", `error running ps: unsupported option "${word}"`);
}

function preset(unix: string, bsd: string): string {
  const has = (letters: string, letter: string) => letters.includes(letter);
  if (has(bsd, "u")) return USER;
  if (has(bsd, "l")) return BSD_LONG;
  if (has(unix, "F")) return EXTRA_FULL;
  if (has(unix, "l")) return has(unix, "f") ? FULL_LONG : LONG;
  if (has(unix, "f")) return FULL;
  return bsd !== "" ? BSD : PLAIN;
}

/** `pid,user=WHO cmd`: a title of one's own goes on to the end of its word. */
function parseFormat(format: string): TopColumn[] {
  return format.split(/[\s,]+/).filter((word) => word !== "").map((word) => {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    const column = topColumn(name);
    if (column === undefined) {
      throw new DhowError(
        "invalid_argument",
        `error running ps: unknown user-defined format specifier "${name}"`,
      );
    }
    return equals < 0 ? column : { ...column, title: word.slice(equals + 1) };
  });
}

function readContext(): TopContext {
  const read = (path: string) => {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return "";
    }
  };
  const number = (path: string, pattern: RegExp) => Number(pattern.exec(read(path))?.[1] ?? 0);
  return {
    nowMs: Date.now(),
    bootTime: number("/proc/stat", /^btime (\d+)$/m),
    memoryKb: number("/proc/meminfo", /^MemTotal:\s+(\d+)/),
    userName: namesOf(() => read("/etc/passwd")),
    groupName: namesOf(() => read("/etc/group")),
  };
}

/** Names by number from /etc/passwd or /etc/group, read when first asked. */
function namesOf(read: () => string): (id: number) => string {
  let names: Map<number, string> | undefined;
  return (id) => {
    names ??= new Map(
      read().split("\n").map((line) => line.split(":")).toReversed()
        .map(([name = "", , number]) => [Number(number), name]),
    );
    return names.get(id) ?? String(id);
  };
}
