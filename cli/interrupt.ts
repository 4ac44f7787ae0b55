/**
 * Ctrl-C for commands that have something to put away first.
 *
 * @module
 */
import { ExitError } from "./errors.ts";

/** Exit codes as a shell shows them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs `work` with a signal that SIGINT and SIGTERM abort; a second one ends the process at once.
 *
 * @throws {ExitError} with a shell's exit code, once `work` has ended after such a signal.
 */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  let exitCode: number | undefined;
  const listeners = Object.entries(SIGNALS).map(([name, code]) => {
    const listener = () => {
      if (exitCode !== undefined) Deno.exit(code);
      exitCode = code;
      abort.abort(new ExitError(code));
    };
    Deno.addSignalListener(name as Deno.Signal, listener);
    return [name as Deno.Signal, listener] as const;
  });
  try {
    return await work(abort.signal);
  } catch (error) {
    throw exitCode === undefined ? error : new ExitError(exitCode);
  } finally {
    for (const [name, listener] of listeners) Deno.removeSignalListener(name, listener);
  }
}
