/**
 * Named pipes.
 *
 * @module
 */
import { check, cString, openLibc } from "./libc.ts";

const libc = openLibc({
  mkfifo: { parameters: [/* path */ "buffer", /* mode */ "u32"], result: "i32" },
});

/** Makes a FIFO at `path`, as mkfifo(3). */
export function mkfifo(path: string, mode: number): void {
  check("mkfifo", libc.mkfifo(cString(path), mode), path);
}
