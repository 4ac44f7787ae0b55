/**
 * Resource limits: docker's names, the runtime-spec's and the kernel's numbers.
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
  if (number === undefined) {
    throw new DhowError("invalid_argument", `invalid rlimit type: ${type}`);
  }
  return number;
}
