/**
 * Questions to the person at the terminal.
 *
 * @module
 */
import { SilentTerminal } from "../core/host/terminal.ts";
import { ExitError } from "./errors.ts";
import type { Output } from "./output/stream.ts";

/** Asks for one line. @throws {ExitError} If the input ends instead. */
export async function ask(question: string, err: Output): Promise<string> {
  err.write(question);
  return await readLine();
}

/** Asks for one line that is not shown; Ctrl-C leaves a terminal that shows again what is typed. */
export async function askSecretly(question: string, err: Output): Promise<string> {
  // Before the question: whoever sees that may answer at once.
  using silent = new SilentTerminal(0);
  const stop = () => {
    silent[Symbol.dispose]();
    err.write("\n");
    Deno.exit(130);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  err.write(question);
  try {
    return await readLine();
  } finally {
    err.write("\n");
    for (const signal of signals) Deno.removeSignalListener(signal, stop);
  }
}

/** A terminal gives one line a read. */
async function readLine(): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let line = "";
  while (!line.includes("\n")) {
    const n = await Deno.stdin.read(buffer);
    if (n === null) {
      if (line !== "") break;
      throw new ExitError(1, "Error: EOF");
    }
    line += decoder.decode(buffer.subarray(0, n), { stream: true });
  }
  return line.split(/\r?\n/)[0]!;
}
