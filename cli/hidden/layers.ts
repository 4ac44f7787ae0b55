/**
 * `dhow __layers`: does jobs on layers as root of the user namespace it was started in. They come as lines of JSON on
 * stdin, answers go to stdout; it ends with its input.
 *
 * @module
 */
import { serveJobs } from "../../core/layer/job_server.ts";
import { readMessages, writeAnswer } from "./json_lines.ts";

/** Runs the verb. @returns The exit code. */
export async function run(): Promise<number> {
  await serveJobs(readMessages(), writeAnswer);
  return 0;
}
