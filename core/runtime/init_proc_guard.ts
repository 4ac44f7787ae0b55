/**
 * The part of a container's init program that keeps /proc as the kernel has it: what is written there later, by us or by
 * whoever looks at the container, must not go to files of somebody's choice (CVE-2019-16884, CVE-2025-52881).
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import type { SpecMount } from "../spec/runtime.ts";
import type { InitContext } from "./init_context.ts";

/** Files that tell of the machine, which others may stand in for: runc's list. */
const REPLACEABLE = new Set([
  "/proc/cpuinfo",
  "/proc/diskstats",
  "/proc/loadavg",
  "/proc/meminfo",
  "/proc/net/dev",
  "/proc/slabinfo",
  "/proc/stat",
  "/proc/swaps",
  "/proc/sys/crypto/fips_enabled",
  "/proc/sys/kernel/ns_last_pid",
  "/proc/uptime",
]);
/** f_type of proc, from <linux/magic.h>. */
const PROC_SUPER_MAGIC = 0x9fa0;
const STATFS_SIZE = 120;

/** Told by an error, where {@linkcode emitKeepProc} refuses. */
export const INSIDE_PROC = "cannot be mounted because it is inside /proc";

/** Adds what refuses a mount that would be in /proc, whatever links lead there. */
export function emitKeepProc(ctx: InitContext, { destination }: SpecMount): void {
  if (REPLACEABLE.has(destination)) return;
  const { p } = ctx;
  const fine = p.label("not in /proc");
  const place = ctx.may("openat", [C.AT_FDCWD, destination, C.O_PATH | C.O_CLOEXEC, 0]);
  p.jumpIf(place, "<", 0, fine); // it is made later, which nobody can in /proc
  const statfs = p.buffer(STATFS_SIZE);
  ctx.may("fstatfs", [place, statfs]);
  p.call("close", [place]);
  p.jumpIf(p.load("u64", statfs), "!=", PROC_SUPER_MAGIC, fine);
  // The root cannot be moved: a call that fails, to be told of.
  ctx.must(`${JSON.stringify(destination)} ${INSIDE_PROC}`, "mount", ["/", "/", 0, C.MS_MOVE, 0]);
  p.place(fine);
}
