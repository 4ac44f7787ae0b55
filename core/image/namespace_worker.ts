/**
 * The `LayerWorker` that works in the containers' user namespace, each job in a second dhow there.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { fromWire, type WireError } from "../lib/wire_error.ts";
import type { NestedIds } from "../host/nested_ids.ts";
import type { StorePaths } from "../host/paths.ts";
import type { AdoptRequest } from "../layer/implied.ts";
import type { UnpackBlobRequest, UnpackBlobResult } from "../layer/unpack_blob.ts";
import { runInside } from "../runtime/inside.ts";
import { ensureUserNamespace, type UserNamespace } from "../runtime/userns.ts";
import type { LayerWorker } from "./ensure_unpacked.ts";

/**
 * Opens a worker; it holds the user namespace until disposed.
 *
 * @param nested Unpack for a user namespace below the shared one.
 */
export async function openNamespaceWorker(
  paths: StorePaths,
  signal?: AbortSignal,
  nested?: NestedMapping,
): Promise<LayerWorker & Disposable> {
  return new NamespaceWorker(await ensureUserNamespace(paths), signal, nested);
}

/** A mapping below that of the shared user namespace. */
export interface NestedMapping {
  /** As a directory below `layers`. */
  name: string;
  ids: NestedIds;
}

class NamespaceWorker implements LayerWorker, Disposable {
  readonly #namespace: UserNamespace;
  readonly #signal: AbortSignal | undefined;
  readonly #nested: NestedMapping | undefined;

  constructor(
    namespace: UserNamespace,
    signal: AbortSignal | undefined,
    nested: NestedMapping | undefined,
  ) {
    this.#namespace = namespace;
    this.#signal = signal;
    this.#nested = nested;
  }

  get signal(): AbortSignal | undefined {
    return this.#signal;
  }

  get mapping(): string {
    return this.#nested?.name ?? this.#namespace.map.name;
  }

  async unpack(request: UnpackBlobRequest): Promise<UnpackBlobResult> {
    const ids = this.#nested?.ids;
    return await this.#call("__unpack", { ...request, ...ids && { ids } }) as UnpackBlobResult;
  }

  async adopt(request: AdoptRequest): Promise<void> {
    await this.#call("__unpack", { adopt: request });
  }

  async measure(directory: string): Promise<number> {
    const { sizeBytes } = await this.#call("__unpack", { measure: directory }) as {
      sizeBytes: number;
    };
    return sizeBytes;
  }

  async removeTrees(paths: string[]): Promise<void> {
    if (paths.length > 0) await this.#call("__rmtree", paths);
  }

  async #call(verb: string, request: unknown): Promise<unknown> {
    return await callInside(this.#namespace, verb, request, this.#signal);
  }

  [Symbol.dispose](): void {
    this.#namespace[Symbol.dispose]();
  }
}

/**
 * Runs `dhow VERB REQUEST` inside and returns what the one line of JSON that it answers with holds.
 *
 * @throws {DhowError} What it says went wrong.
 */
export async function callInside(
  namespace: UserNamespace,
  verb: string,
  request: unknown,
  signal?: AbortSignal,
): Promise<unknown> {
  const { status, stdout } = await runInside(
    namespace,
    verb,
    [JSON.stringify(request)],
    signal === undefined ? {} : { signal },
  );
  signal?.throwIfAborted();
  return decodeAnswer(verb, status.exitCode, new TextDecoder().decode(stdout));
}

/** Takes the one line of JSON that a verb inside answers with apart. */
function decodeAnswer(verb: string, exitCode: number, text: string): unknown {
  let answer: { result?: unknown; error?: WireError };
  try {
    answer = JSON.parse(text);
  } catch {
    throw new DhowError("internal", `dhow ${verb} ended with ${exitCode} and no answer`);
  }
  if (answer.error !== undefined) throw fromWire(answer.error);
  return answer.result;
}
