/**
 * The `LayerWorker` that unpacks blobs while they come in: one helper inside the containers' user namespace, started
 * when there is something to do and ended with the worker.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import type { AdoptRequest } from "../layer/implied.ts";
import type { GrowingUnpack, JobMessage, LayerJob } from "../layer/job_messages.ts";
import type { UnpackBlobRequest, UnpackBlobResult } from "../layer/unpack_blob.ts";
import { ensureUserNamespace, type UserNamespace } from "../runtime/userns.ts";
import type { LayerWorker } from "./ensure_unpacked.ts";
import { JobProcess } from "./job_process.ts";

/** A blob that is being read while it grows. */
export interface UnpackHandle {
  /** Rejects if the blob is no layer, or not the one it should be. */
  result: Promise<UnpackBlobResult>;
  /** Says how much of the blob is there. Once it is complete its digest has been checked. */
  grow(filledBytes: number, isComplete: boolean): void;
}

/** Opens a helper; it holds the user namespace until disposed. */
export async function openLayerHelper(
  paths: StorePaths,
  signal?: AbortSignal,
): Promise<LayerHelper> {
  return new LayerHelper(await ensureUserNamespace(paths), signal);
}

/** One process inside, doing any number of jobs. */
export class LayerHelper implements LayerWorker, Disposable {
  readonly signal: AbortSignal | undefined;
  readonly #namespace: UserNamespace;
  readonly #process: JobProcess<JobMessage>;

  /** @param signal Ends the waiting for other processes; a running job is ended by {@linkcode stop}. */
  constructor(namespace: UserNamespace, signal?: AbortSignal) {
    this.#namespace = namespace;
    this.#process = new JobProcess(namespace, {
      verb: "__layers",
      purpose: "work on layers",
      memory: "small",
    });
    this.signal = signal;
  }

  get mapping(): string {
    return this.#namespace.map.name;
  }

  /** Unpacks a blob that is on its way. @param onUsed Told now and then how much of it was read. */
  unpackGrowing(unpack: GrowingUnpack, onUsed?: (usedBytes: number) => void): UnpackHandle {
    const { id, result } = this.#start({ kind: "unpack", unpack }, onUsed);
    return {
      result: result as Promise<UnpackBlobResult>,
      grow: (filledBytes, isComplete) => {
        this.#process.tell({ id, filledBytes, isComplete });
      },
    };
  }

  async unpack(request: UnpackBlobRequest): Promise<UnpackBlobResult> {
    const { blob, ...rest } = request;
    if (typeof blob !== "string") throw new TypeError("Cannot unpack what has no name");
    const { size } = await Deno.stat(blob);
    const handle = this.unpackGrowing({ request: rest, names: [blob] });
    handle.grow(size, true);
    return await handle.result;
  }

  async adopt(adopt: AdoptRequest): Promise<void> {
    await this.#start({ kind: "adopt", adopt }).result;
  }

  async measure(directory: string): Promise<number> {
    const measured = await this.#start({ kind: "measure", directory }).result;
    return (measured as { sizeBytes: number }).sizeBytes;
  }

  async removeTrees(trees: string[]): Promise<void> {
    if (trees.length > 0) await this.#start({ kind: "remove", trees }).result;
  }

  /** Starts the helper, which takes a moment, before there is something to do. */
  prepare(): void {
    this.#process.prepare();
  }

  /** Kills the helper: what it was doing fails with `reason`. The next job starts another. */
  stop(reason: unknown): void {
    this.#process.stop(reason);
  }

  #start(
    job: LayerJob,
    onUsed?: (usedBytes: number) => void,
  ): { id: number; result: Promise<unknown> } {
    const started = this.#process.start((id) => ({ id, job }), onUsed);
    // Whoever gives up a job does not ask for its result.
    started.result.catch(() => {});
    return started;
  }

  [Symbol.dispose](): void {
    this.#process[Symbol.dispose]();
    this.#namespace[Symbol.dispose]();
  }
}
