/**
 * The caller's terminal: raw while a container's terminal is shown in it, silent while a password is typed.
 *
 * @module
 */
import {
  getTerminalModes,
  setTerminalModes,
  toRawModes,
  toSilentModes,
} from "../../ffi/termios.ts";

/**
 * Puts the terminal `fd` into raw mode until disposed.
 *
 * Deno's own `setRaw()` leaves output processing on, which adds carriage returns to what the container's terminal has
 * already processed and breaks full-screen programs.
 */
export class RawTerminal implements Disposable {
  readonly #fd: number;
  readonly #before: ReturnType<typeof getTerminalModes>;

  /** @throws {SyscallError} `ENOTTY` if `fd` is no terminal. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#before = getTerminalModes(fd);
    setTerminalModes(fd, toRawModes(this.#before));
  }

  /** Restores what was; doing it twice is harmless. */
  [Symbol.dispose](): void {
    setTerminalModes(this.#fd, this.#before);
  }
}

/** Shows nothing of what is typed at the terminal `fd`, until disposed. */
export class SilentTerminal implements Disposable {
  readonly #fd: number;
  readonly #before: ReturnType<typeof getTerminalModes>;

  /** @throws {SyscallError} `ENOTTY` if `fd` is no terminal. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#before = getTerminalModes(fd);
    setTerminalModes(fd, toSilentModes(this.#before));
  }

  /** Restores what was; doing it twice is harmless. */
  [Symbol.dispose](): void {
    setTerminalModes(this.#fd, this.#before);
  }
}
