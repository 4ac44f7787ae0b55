/**
 * Terminal modes: tcgetattr(3) and tcsetattr(3), the latter into raw mode and back.
 *
 * @module
 */
import { check, openLibc } from "./libc.ts";

const termios = openLibc({
  tcgetattr: { parameters: ["i32", /* int fd */ "buffer" /* struct termios * */], result: "i32" },
  tcsetattr: {
    parameters: [
      "i32",
      /* int fd */ "i32",
      /* int actions */ "buffer", /* const struct termios * */
    ],
    result: "i32",
  },
  cfmakeraw: { parameters: ["buffer" /* struct termios * */], result: "void" },
});

/** sizeof(struct termios) is 60 with glibc and musl; some room for others. */
const TERMIOS_SIZE = 128;

/** `<bits/termios-tcflow.h>`: change when all output has been sent. */
const TCSADRAIN = 1;

/** The modes of a terminal, opaque. */
export type TerminalModes = Uint8Array<ArrayBuffer>;

/**
 * Reads the modes of the terminal `fd`, as tcgetattr(3).
 *
 * @throws {SyscallError} `ENOTTY` if it is none.
 */
export function getTerminalModes(fd: number): TerminalModes {
  const modes = new Uint8Array(TERMIOS_SIZE);
  check("tcgetattr", termios.tcgetattr(fd, modes), `fd ${fd}`);
  return modes;
}

/** Sets the modes of the terminal `fd` once pending output is out, as tcsetattr(3). */
export function setTerminalModes(fd: number, modes: TerminalModes): void {
  check("tcsetattr", termios.tcsetattr(fd, TCSADRAIN, modes), `fd ${fd}`);
}

/** A copy of `modes` that passes every byte both ways untouched, as cfmakeraw(3). */
export function toRawModes(modes: TerminalModes): TerminalModes {
  const raw = modes.slice();
  termios.cfmakeraw(raw);
  return raw;
}

/** Byte offset of `c_lflag`, with glibc as with musl. */
const C_LFLAG = 12;

/** `<bits/termios-c_lflag.h>`: show what is typed. */
const ECHO = 0o10;

/** A copy of `modes` in which what is typed is not shown. */
export function toSilentModes(modes: TerminalModes): TerminalModes {
  const silent = modes.slice();
  const view = new DataView(silent.buffer);
  view.setUint32(C_LFLAG, view.getUint32(C_LFLAG, true) & ~ECHO, true);
  return silent;
}
