/**
 * `dhow __changes REQUEST`: the half of `diff` and `commit` that works as root of the user namespace it was started in.
 *
 * REQUEST is the JSON of a `ChangesRequest`. One line of JSON on stdout answers: `{result}` or
 * `{error: {code, message}}`.
 *
 * @module
 */
import { performChangesVerb } from "../../core/container/changes_inside.ts";
import { answerWith } from "./answer.ts";

/** Runs the verb. @returns The exit code. */
export async function run(args: string[]): Promise<number> {
  return await answerWith(() => performChangesVerb(JSON.parse(args[0] ?? "{}")));
}
