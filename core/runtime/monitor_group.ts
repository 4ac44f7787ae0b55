/**
 * What the monitor does for the container's control group.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import type { ProgramBuilder, Value } from "../../ffi/program/builder.ts";

/** What {@linkcode emitKeepMemoryEvents} writes, in the container's directory. */
export const MEMORY_EVENTS_FILE = "memory.events";

const SIZE = 512;

/**
 * Adds what copies the group's memory events to the container's directory: with the monitor the group's last process
 * goes, and the service manager removes it before anybody can look.
 *
 * @param group A descriptor of the group.
 */
export function emitKeepMemoryEvents(p: ProgramBuilder, group: Value): void {
  const over = p.label("no memory events");
  const text = p.buffer(SIZE);
  const from = p.call("openat", [group, "memory.events", C.O_RDONLY | C.O_CLOEXEC, 0]);
  p.jumpIf(from, "<", 0, over);
  const length = p.call("read", [from, text, SIZE]);
  p.jumpIf(length, "<", 1, over);
  const flags = C.O_WRONLY | C.O_CREAT | C.O_TRUNC | C.O_CLOEXEC;
  const to = p.call("openat", [C.AT_FDCWD, MEMORY_EVENTS_FILE, flags, 0o600]);
  p.jumpIf(to, "<", 0, over);
  p.call("write", [to, text, length]);
  p.place(over);
}
