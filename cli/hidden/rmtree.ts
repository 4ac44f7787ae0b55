/**
 * `dhow __rmtree PATHS`: removes directory trees, as root of the user namespace it was started in.
 *
 * PATHS is a JSON array. One line of JSON answers: `{"result": {}}` or `{error: {code, message}}`.
 *
 * @module
 */
import { removeTrees } from "../../core/store/remove_tree.ts";

/** Runs the verb. @returns The exit code. */
export async function run(args: string[]): Promise<number> {
  let error: Error | undefined;
  try {
    removeTrees(JSON.parse(args[0] ?? "[]"));
  } catch (cause) {
    error = cause as Error;
  }
  const answer = error === undefined
    ? { result: {} }
    : { error: { code: "internal", message: error.message } };
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(answer) + "\n"));
  return error === undefined ? 0 : 1;
}
