/**
 * How verbs that work inside the user namespace answer: one line of JSON, `{result}` or `{error: {code, message}}`.
 *
 * @module
 */
import { toWire, type WireError } from "../../core/lib/wire_error.ts";
import { writeAnswer } from "./json_lines.ts";

/** Prints what `work` returns or resolves to, or why it failed. @returns The exit code. */
export async function answerWith(work: () => unknown): Promise<number> {
  const answer = await outcome(work);
  writeAnswer(answer);
  return "error" in answer ? 1 : 0;
}

async function outcome(work: () => unknown): Promise<{ result: unknown } | { error: WireError }> {
  try {
    return { result: await work() };
  } catch (error) {
    return { error: toWire(error) };
  }
}
