/**
 * `dhow __rmtree PATHS`: removes directory trees, as root of the user namespace it was started in.
 *
 * PATHS is a JSON array. One line of JSON answers: `{"result": {}}` or `{error: {code, message}}`.
 *
 * @module
 */
import { removeTrees } from "../../core/store/remove_tree.ts";
import { answerWith } from "./answer.ts";

/** Runs the verb. @returns The exit code. */
export async function run(args: string[]): Promise<number> {
  return await answerWith(() => {
    removeTrees(JSON.parse(args[0] ?? "[]"));
    return {};
  });
}
