/**
 * Writing to stdout and stderr: whole, at once and in order.
 *
 * @module
 */

/** Where a command prints: results on one, progress and diagnostics on the other. */
export class Output {
  readonly #stream: { writeSync(bytes: Uint8Array): number; isTerminal(): boolean };

  /** @param stream `Deno.stdout`, `Deno.stderr`, or a stand-in of a test. */
  constructor(stream: { writeSync(bytes: Uint8Array): number; isTerminal(): boolean }) {
    this.#stream = stream;
  }

  /** Whether a person is watching. */
  isTerminal(): boolean {
    return this.#stream.isTerminal();
  }

  /** Prints `text` and a line feed. */
  line(text: string): void {
    this.write(text + "\n");
  }

  /**
   * Writes all of `data`; waits while the reader is slow.
   *
   * A reader that went away ends the process with 141, the status a shell shows for SIGPIPE.
   */
  write(data: string | Uint8Array): void {
    let rest = typeof data === "string" ? new TextEncoder().encode(data) : data;
    while (rest.length > 0) {
      try {
        rest = rest.subarray(this.#stream.writeSync(rest));
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) Deno.exit(141);
        // Somebody made the descriptor non-blocking (it is shared with whoever else has it open): try again soon.
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      }
    }
  }
}
