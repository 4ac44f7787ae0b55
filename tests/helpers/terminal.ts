/**
 * A real terminal with a program in it, to type into and to look at.
 *
 * @module
 */
import { O_RDWR, POLLIN } from "../../ffi/abi/constants.ts";
import { type Fd, open, pollAsync, read } from "../../ffi/fd.ts";
import { check, openLibc } from "../../ffi/libc.ts";
import { setTerminalSize, writeTerminal } from "../../ffi/tty.ts";

const libc = openLibc({
  ioctl: { parameters: [/* fd */ "i32", /* request */ "usize", /* arg */ "buffer"], result: "i32" },
});

/** `<asm-generic/ioctls.h>` */
const TIOCSPTLCK = 0x40045431n, TIOCGPTN = 0x80045430n;
const O_NOCTTY = 0o400;

/** How to open a terminal. */
export interface TerminalOptions {
  env?: Record<string, string>;
  /** @default 24 rows, 80 columns */
  size?: { rows: number; columns: number };
}

/** A terminal on which a command runs as the session's leader. */
export class Terminal implements AsyncDisposable {
  readonly #master: Fd;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #text = "";
  #seen = 0;

  constructor(command: readonly string[], { env, size }: TerminalOptions = {}) {
    this.#master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    const number = new Int32Array(1);
    check("ioctl", libc.ioctl(this.#master.number, TIOCSPTLCK, new Uint8Array(4)), "unlock");
    check("ioctl", libc.ioctl(this.#master.number, TIOCGPTN, new Uint8Array(number.buffer)));
    setTerminalSize(this.#master, size ?? { rows: 24, columns: 80 });
    // Deno gives a child no session and no controlling terminal: setsid(1) does.
    const script = `exec setsid -cw "$@" </dev/pts/${number[0]} >/dev/pts/${number[0]} 2>&1`;
    this.#child = new Deno.Command("sh", {
      args: ["-c", script, "sh", ...command],
      stdin: "null",
      ...env && { env },
    }).spawn();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65536);
    const decoder = new TextDecoder();
    while (this.#master.isOpen) {
      const [events = 0] = await pollAsync([{ fd: this.#master.number, events: POLLIN }], 100);
      if (events === 0) continue;
      try {
        const n = read(this.#master.number, buffer);
        if (n <= 0) return;
        this.#text += decoder.decode(buffer.subarray(0, n), { stream: true });
      } catch {
        return; // EIO: nobody has it open any more
      }
    }
  }

  /** All that was shown. */
  get text(): string {
    return this.#text;
  }

  /** Types. */
  async type(text: string): Promise<void> {
    await writeTerminal(this.#master, new TextEncoder().encode(text));
  }

  /** Waits until something shows that was not waited for before. @returns The match. */
  async expect(pattern: RegExp, timeoutMs = 15_000): Promise<RegExpMatchArray> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const match = this.#text.slice(this.#seen).match(pattern);
      if (match !== null) {
        this.#seen += match.index! + match[0].length;
        return match;
      }
      if (Date.now() > end) {
        const shown = JSON.stringify(this.#text.slice(this.#seen));
        throw new Error(`${pattern} does not show within ${timeoutMs} ms, but ${shown}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  resize(size: { rows: number; columns: number }): void {
    setTerminalSize(this.#master, size);
  }

  /** Resolves with the command's exit code. */
  async exitCode(): Promise<number> {
    return (await this.#child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.#child.status;
    this.#master.close();
    await this.#reading.catch(() => {});
  }
}
