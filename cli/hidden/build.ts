/**
 * `dhow __build`: does a build's work as root of the user namespace it was started in. Jobs come as lines of JSON on
 * stdin, answers go to stdout; it ends with its input.
 *
 * @module
 */
import { serveBuildJobs } from "../../core/build/helper_server.ts";
import { readMessages, writeAnswer } from "./json_lines.ts";

/** Runs the verb. @returns The exit code. */
export async function run(): Promise<number> {
  Deno.umask(0); // modes are what the Dockerfile says
  // Ctrl-C reaches everybody at the terminal; the build decides what becomes of the work, and this ends with it.
  for (const signal of ["SIGINT", "SIGQUIT"] as const) Deno.addSignalListener(signal, () => {});
  await serveBuildJobs(readMessages(), writeAnswer);
  return 0;
}
