/**
 * The helper's half: does jobs as they come, several layers at once, each in a thread.
 *
 * Threads and not processes: a process of Deno takes 60 MB, a thread of it 10.
 *
 * @module
 */
import { removeTreeAt } from "../../ffi/file.ts";
import { fromWire, toWire } from "../lib/wire_error.ts";
import { FileGrowth } from "./growing_file.ts";
import { adoptDirectories } from "./implied.ts";
import type { GrowingUnpack, JobAnswer, JobMessage, LayerJob } from "./job_messages.ts";
import { measureTree } from "./measure.ts";
import type { ThreadAnswer, ThreadJob } from "./unpack_thread.ts";

/** How often progress is told. */
const PROGRESS_MS = 100;
/** `AT_FDCWD`: the paths are absolute. */
const HERE = -100;

/** Does jobs until there are no more messages. */
export async function serveJobs(
  messages: AsyncIterable<JobMessage>,
  answer: (answer: JobAnswer) => void,
): Promise<void> {
  const unpacking = new Map<number, FileGrowth>();
  const idle: Worker[] = [];
  const progress = setInterval(() => {
    for (const [id, growth] of unpacking) answer({ id, usedBytes: growth.usedBytes });
  }, PROGRESS_MS);
  const unpack = async (id: number, job: GrowingUnpack) => {
    const worker = idle.pop() ?? newThread();
    try {
      return await unpackIn(worker, { ...job, memory: unpacking.get(id)!.memory });
    } finally {
      unpacking.delete(id);
      idle.push(worker);
    }
  };
  for await (const message of messages) {
    const { id } = message;
    if ("job" in message) {
      if (message.job.kind === "unpack") unpacking.set(id, new FileGrowth());
      perform(message.job, (job) => unpack(id, job)).then(
        (result) => answer({ id, result }),
        (error) => answer({ id, error: toWire(error) }),
      );
    } else unpacking.get(id)?.grow(message.filledBytes, message.isComplete);
  }
  clearInterval(progress);
  for (const worker of idle) worker.terminate();
}

async function perform(
  job: LayerJob,
  unpack: (job: GrowingUnpack) => Promise<unknown>,
): Promise<unknown> {
  switch (job.kind) {
    case "unpack":
      return await unpack(job.unpack);
    case "adopt":
      adoptDirectories(job.adopt);
      return {};
    case "measure":
      return { sizeBytes: measureTree(job.directory) };
    case "remove":
      for (const tree of job.trees) removeTreeAt(HERE, tree);
      return {};
  }
}

function newThread(): Worker {
  return new Worker(new URL("./unpack_thread.ts", import.meta.url), { type: "module" });
}

function unpackIn(worker: Worker, job: ThreadJob): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<ThreadAnswer>) => {
      if ("result" in data) resolve(data.result);
      else reject(fromWire(data.error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(job);
  });
}
