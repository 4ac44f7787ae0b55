/**
 * A thread that unpacks layers whose blobs may still be on their way: post a job, get back `{result}` or `{error}`.
 *
 * @module
 */
import { FileGrowth, GrowingFile } from "./growing_file.ts";
import { toWire, type WireError } from "../lib/wire_error.ts";
import type { GrowingUnpack } from "./job_messages.ts";
import { keepOwnersIfSingle } from "./kept_owners.ts";
import { unpackBlob, type UnpackBlobResult } from "./unpack_blob.ts";

/** A layer to unpack. */
export interface ThreadJob extends GrowingUnpack {
  /** As `FileGrowth.memory`. */
  memory: SharedArrayBuffer;
}

/** What came of it. */
export type ThreadAnswer = { result: UnpackBlobResult } | { error: WireError };

interface Thread {
  onmessage: (event: MessageEvent<ThreadJob>) => void;
  postMessage(answer: ThreadAnswer): void;
}

const thread = globalThis as unknown as Thread;

keepOwnersIfSingle();

thread.onmessage = ({ data }) => {
  unpack(data).then(
    (result) => thread.postMessage({ result }),
    (error) => thread.postMessage({ error: toWire(error) }),
  );
};

async function unpack(job: ThreadJob): Promise<UnpackBlobResult> {
  using file = new GrowingFile(job.names, new FileGrowth(job.memory));
  return await unpackBlob({ ...job.request, blob: (buffer) => file.read(buffer) });
}
