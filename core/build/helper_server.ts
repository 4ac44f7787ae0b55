/**
 * The helper's half: gives jobs to threads as they come.
 *
 * @module
 */
import type { WireError } from "../lib/wire_error.ts";
import type { BuildJobAnswer, BuildJobMessage } from "./build_jobs.ts";

/** What a thread answers. */
export type BuildThreadAnswer = { result: unknown } | { error: WireError };

/** Does jobs until there are no more messages. */
export async function serveBuildJobs(
  messages: AsyncIterable<BuildJobMessage>,
  answer: (answer: BuildJobAnswer) => void,
): Promise<void> {
  const idle: Worker[] = [newThread(), newThread()]; // which take a moment to come up
  for await (const { id, job } of messages) {
    const worker = idle.pop() ?? newThread();
    performIn(worker, job).then((done) => {
      idle.push(worker);
      answer({ id, ...done });
    });
  }
  for (const worker of idle) worker.terminate();
}

function newThread(): Worker {
  return new Worker(new URL("./helper_thread.ts", import.meta.url), { type: "module" });
}

function performIn(worker: Worker, job: unknown): Promise<BuildThreadAnswer> {
  return new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<BuildThreadAnswer>) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      resolve({ error: { code: "internal", message: event.message } });
    };
    worker.postMessage(job);
  });
}
