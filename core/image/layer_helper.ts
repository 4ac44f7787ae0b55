/**
 * The `LayerWorker` that unpacks blobs while they come in: one helper inside the containers' user namespace, started
 * when there is something to do and ended with the worker.
 *
 * @module
 */
import { type Fd, open, pipe, pollAsync, read, write } from "../../ffi/fd.ts";
import { O_RDWR, POLLIN } from "../../ffi/abi/constants.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import type { AdoptRequest } from "../layer/implied.ts";
import {
  fromWire,
  type GrowingUnpack,
  type JobAnswer,
  type JobMessage,
  type LayerJob,
} from "../layer/job_messages.ts";
import type { UnpackBlobRequest, UnpackBlobResult } from "../layer/unpack_blob.ts";
import { startInside } from "../runtime/inside.ts";
import { ensureUserNamespace, type UserNamespace } from "../runtime/userns.ts";
import type { LayerWorker } from "./ensure_unpacked.ts";

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

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
  onUsed: ((usedBytes: number) => void) | undefined;
}

/** One process inside, doing any number of jobs. */
export class LayerHelper implements LayerWorker, Disposable {
  readonly signal: AbortSignal | undefined;
  readonly #namespace: UserNamespace;
  readonly #pending = new Map<number, Pending>();
  #input: Fd | undefined;
  #stop: AbortController | undefined;
  #nextId = 0;

  /** @param signal Ends the waiting for other processes; a running job is ended by {@linkcode stop}. */
  constructor(namespace: UserNamespace, signal?: AbortSignal) {
    this.#namespace = namespace;
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
        if (this.#pending.has(id)) this.#send({ id, filledBytes, isComplete });
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
    if (this.#input === undefined) this.#startProcess();
  }

  /** Kills the helper: what it was doing fails with `reason`. The next job starts another. */
  stop(reason: unknown): void {
    this.#end(reason);
  }

  #start(
    job: LayerJob,
    onUsed?: (usedBytes: number) => void,
  ): { id: number; result: Promise<unknown> } {
    this.prepare();
    const id = this.#nextId++;
    const result = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, onUsed });
    });
    // Whoever gives up a job does not ask for its result.
    result.catch(() => {});
    this.#send({ id, job });
    return { id, result };
  }

  #send(message: JobMessage): void {
    let rest = new TextEncoder().encode(JSON.stringify(message) + "\n");
    try {
      while (rest.length > 0) rest = rest.subarray(write(this.#input!.number, rest));
    } catch {
      // It has ended, which its output says.
    }
  }

  #startProcess(): void {
    const input = pipe();
    const output = pipe();
    using devNull = open("/dev/null", O_RDWR);
    const stop = new AbortController();
    try {
      const { ended } = startInside(this.#namespace, "__layers", [], {
        stdin: input.read.number,
        stdout: output.write.number,
        // What it has to say it says in answers.
        stderr: Deno.env.get("DHOW_DEBUG") === undefined ? devNull.number : 2,
        signal: stop.signal,
        memory: "small",
      });
      this.#input = input.write;
      this.#stop = stop;
      this.#listen(output.read, ended.then(() => {}));
    } catch (error) {
      input.write.close();
      output.read.close();
      throw error;
    } finally {
      input.read.close();
      output.write.close();
    }
  }

  async #listen(output: Fd, ended: Promise<void>): Promise<void> {
    const own = this.#input;
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65536);
    let text = "";
    for (;;) {
      await pollAsync([{ fd: output.number, events: POLLIN }]);
      const n = read(output.number, buffer);
      if (n <= 0) break;
      text += decoder.decode(buffer.subarray(0, n), { stream: true });
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) this.#take(JSON.parse(line));
    }
    output.close();
    await ended;
    if (this.#input === own) {
      this.#end(new DhowError("internal", "Cannot work on layers: dhow's helper has ended"));
    }
  }

  #take(answer: JobAnswer): void {
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) return;
    if ("usedBytes" in answer) return pending.onUsed?.(answer.usedBytes);
    this.#pending.delete(answer.id);
    if ("error" in answer) pending.reject(fromWire(answer.error));
    else pending.resolve(answer.result);
  }

  #end(reason: unknown): void {
    this.#input?.close();
    this.#input = undefined;
    this.#stop?.abort();
    this.#stop = undefined;
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }

  [Symbol.dispose](): void {
    this.#end(new DhowError("aborted", "Cannot work on layers: the helper is closed"));
    this.#namespace[Symbol.dispose]();
  }
}
