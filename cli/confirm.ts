/**
 * Asking before something is removed, as docker asks.
 *
 * @module
 */
import type { Output } from "./output/stream.ts";

/**
 * Prints `question` and reads a line from stdin.
 *
 * @returns Whether it says `y` or `yes`; the end of the input says no.
 */
export async function confirm(question: string, out: Output): Promise<boolean> {
  out.write(`${question} [y/N] `);
  const answer = (await readLine()).trim().toLowerCase();
  return answer === "y" || answer === "yes";
}

/** Byte by byte: what follows the line is not ours. */
async function readLine(): Promise<string> {
  const bytes: number[] = [];
  const buffer = new Uint8Array(1);
  while (bytes.length < 1024 && await Deno.stdin.read(buffer) !== null && buffer[0] !== 10) {
    bytes.push(buffer[0]!);
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}
