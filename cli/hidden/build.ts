/**
 * `dhow __build`: does a build's work as root of the user namespace it was started in. Jobs come as lines of JSON on
 * stdin, answers go to stdout; it ends with its input.
 *
 * @module
 */
import type { BuildJobAnswer, BuildJobMessage } from "../../core/build/build_jobs.ts";
import { serveBuildJobs } from "../../core/build/helper_server.ts";

/** Runs the verb. @returns The exit code. */
export async function run(): Promise<number> {
  Deno.umask(0); // modes are what the Dockerfile says
  // Ctrl-C reaches everybody at the terminal; the build decides what becomes of the work, and this ends with it.
  for (const signal of ["SIGINT", "SIGQUIT"] as const) Deno.addSignalListener(signal, () => {});
  const encoder = new TextEncoder();
  await serveBuildJobs(readMessages(), (answer: BuildJobAnswer) => {
    let rest = encoder.encode(JSON.stringify(answer) + "\n");
    while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
  });
  return 0;
}

async function* readMessages(): AsyncGenerator<BuildJobMessage> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of Deno.stdin.readable) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}
