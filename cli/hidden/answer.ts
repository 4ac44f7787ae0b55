/**
 * How verbs that work inside the user namespace answer: one line of JSON, `{result}` or `{error: {code, message}}`.
 *
 * @module
 */
import { DhowError } from "../../core/errors.ts";

/** Prints what `work` resolves to, or why it failed. @returns The exit code. */
export async function answerWith(work: () => Promise<unknown>): Promise<number> {
  const answer = await work().then(
    (result) => ({ result }),
    (error) => ({ error: describe(error) }),
  );
  let rest = new TextEncoder().encode(JSON.stringify(answer) + "\n");
  while (rest.length > 0) rest = rest.subarray(await Deno.stdout.write(rest));
  return "error" in answer ? 1 : 0;
}

function describe(error: unknown): { code: string; message: string } {
  const code = error instanceof DhowError ? error.code : "internal";
  return { code, message: error instanceof Error ? error.message : String(error) };
}
