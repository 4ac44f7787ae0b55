/**
 * Resource limits: `--ulimit` in docker's words, and what the runtime-spec makes of it.
 *
 * @see man 2 setrlimit
 * @module
 */
import { DhowError } from "../errors.ts";
import type { Ulimit } from "../spec/docker_api.ts";
import type { Rlimit } from "../spec/runtime.ts";

/** Docker's names in the order of the kernel's numbers; `<asm-generic/resource.h>`. */
const NAMES =
  ("cpu fsize data stack core rss nproc nofile memlock locks sigpending msgqueue nice " +
    "rtprio rttime").split(" ");
// `as` has a number but no docker name.
const NUMBERS = new Map(NAMES.map((name, index) => [name, index < 9 ? index : index + 1]));

/**
 * Reads `nofile=1024:2048`, `nofile=1024` or `core=-1`; -1 is unlimited.
 *
 * @throws {DhowError} `invalid_argument`, in the words of docker's command line.
 */
export function parseUlimit(text: string): Ulimit {
  const equals = text.indexOf("=");
  if (equals < 0) throw invalid(`invalid ulimit argument: ${text}`);
  const name = text.slice(0, equals);
  if (!NUMBERS.has(name)) throw invalid(`invalid ulimit type: ${name}`);
  const value = text.slice(equals + 1);
  const limits = value.split(":");
  if (limits.length > 2) {
    throw invalid(
      `too many limit value arguments - ${value}, can only have up to two, \`soft[:hard]\``,
    );
  }
  const soft = parseLimit(limits[0]!);
  const hard = limits[1] === undefined ? soft : parseLimit(limits[1]);
  const rule = "ulimit soft limit must be less than or equal to hard limit";
  if (hard !== -1 && soft === -1) throw invalid(`${rule}: soft: -1 (unlimited), hard: ${hard}`);
  if (hard !== -1 && soft > hard) throw invalid(`${rule}: ${soft} > ${hard}`);
  return { Name: name, Hard: hard, Soft: soft };
}

function parseLimit(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw invalid(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  }
  const exact = BigInt(text.replace(/^\+/, ""));
  if (exact !== BigInt.asIntN(64, exact)) {
    throw invalid(`strconv.ParseInt: parsing "${text}": value out of range`);
  }
  return Number(exact);
}

/** Docker's limits as the runtime-spec writes them: `nofile` to `RLIMIT_NOFILE`. */
export function toRlimits(ulimits: readonly Ulimit[]): Rlimit[] {
  return ulimits.map(({ Name, Soft, Hard }) => ({
    type: `RLIMIT_${Name.toUpperCase()}`,
    soft: Soft,
    hard: Hard,
  }));
}

/**
 * The number setrlimit(2) and prlimit64(2) take for `RLIMIT_NOFILE`.
 *
 * @throws {DhowError} `invalid_argument` if there is no such limit.
 */
export function rlimitNumber(type: string): number {
  if (type === "RLIMIT_AS") return 9;
  const number = NUMBERS.get(type.replace(/^RLIMIT_/, "").toLowerCase());
  if (number === undefined) throw invalid(`invalid rlimit type: ${type}`);
  return number;
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
