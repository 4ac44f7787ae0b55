/**
 * clone3(2) into a control group: no process of a container ever runs outside of its limits.
 *
 * @module
 */
import { CLONE_PARENT, SIGCHLD } from "../../ffi/abi/constants.ts";
import type { CallOptions, Label, ProgramBuilder, Value } from "../../ffi/program/builder.ts";

const CLONE_INTO_CGROUP = 0x200000000n;
/** `struct clone_args`: eleven 64-bit words. */
const FLAGS = 0, EXIT_SIGNAL = 4, CGROUP = 10, WORDS = 11;

/**
 * Adds a clone that is born in a control group. It has memory of its own, and no stack.
 *
 * @param group The group's descriptor.
 * @param flags As clone(2) takes them, the signal at its end included.
 * @param child Where the child goes on.
 * @returns Its pid.
 */
export function cloneInto(
  p: ProgramBuilder,
  group: Value | number,
  flags: number,
  child: Label,
  options: CallOptions,
): Value {
  const words: bigint[] = new Array(WORDS).fill(0n);
  words[FLAGS] = BigInt((flags & ~0xff) >>> 0) | CLONE_INTO_CGROUP;
  // The caller's parent is told as it is of the caller; another signal is refused.
  words[EXIT_SIGNAL] = (flags & CLONE_PARENT) !== 0 ? 0n : BigInt(SIGCHLD);
  const args = p.words(words);
  p.store("u64", args, group, 8 * CGROUP);
  const pid = p.call("clone3", [args, 8 * WORDS], options);
  p.jumpIf(pid, "==", 0, child);
  return pid;
}
