/**
 * Terminals as far as their master side is ours: size and writing.
 *
 * @module
 */
import { TIOCSWINSZ } from "./abi/constants.ts";
import type { Fd } from "./fd.ts";
import { openLibc } from "./libc.ts";

const libc = openLibc({
  ioctl: { parameters: [/* fd */ "i32", /* request */ "usize", /* arg */ "buffer"], result: "i32" },
  write_async: {
    name: "write",
    parameters: [/* fd */ "i32", /* buf */ "buffer", /* count */ "usize"],
    result: "isize",
    nonblocking: true,
  },
});

/** Sets a terminal's size; the kernel tells its foreground process by SIGWINCH. A closed terminal is left alone. */
export function setTerminalSize(fd: Fd, size: { rows: number; columns: number }): void {
  const winsize = new Uint8Array(new Uint16Array([size.rows, size.columns, 0, 0]).buffer);
  libc.ioctl(fd.number, BigInt(TIOCSWINSZ), winsize);
}

/** Writes all of `bytes` on another thread, however long the terminal takes. @returns False if it is gone. */
export async function writeTerminal(fd: Fd, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const n = Number(await libc.write_async(fd.number, rest, BigInt(rest.length)));
    if (n <= 0) return false;
    at += n;
  }
  return true;
}
