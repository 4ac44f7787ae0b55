/**
 * `dhow __usage PATHS`: what directories take on the disk, seen by root of the user namespace it was started in.
 *
 * PATHS is a JSON array. One line of JSON answers: `{result: DirectoryUsage[]}` or `{error: {code, message}}`.
 *
 * @module
 */
import { directoryUsage } from "../../core/layer/usage.ts";
import { answerWith } from "./answer.ts";

/** Runs the verb. @returns The exit code. */
export async function run(args: string[]): Promise<number> {
  const paths: string[] = JSON.parse(args[0] ?? "[]");
  return await answerWith(() => Promise.resolve(paths.map(directoryUsage)));
}
