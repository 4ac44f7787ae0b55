/**
 * `dhow __layers`: does jobs on layers as root of the user namespace it was started in. They come as lines of JSON on
 * stdin, answers go to stdout; it ends with its input.
 *
 * @module
 */
import type { JobAnswer, JobMessage } from "../../core/layer/job_messages.ts";
import { serveJobs } from "../../core/layer/job_server.ts";

/** Runs the verb. @returns The exit code. */
export async function run(): Promise<number> {
  const encoder = new TextEncoder();
  await serveJobs(readMessages(), (answer: JobAnswer) => {
    let rest = encoder.encode(JSON.stringify(answer) + "\n");
    while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
  });
  return 0;
}

async function* readMessages(): AsyncGenerator<JobMessage> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of Deno.stdin.readable) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}
