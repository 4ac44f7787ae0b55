/**
 * The blobs of an image on their way to a registry: what it has is not sent, what another of its repositories has is
 * taken over from there, the rest is uploaded, a few at a time.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import type { Repository } from "../registry/repository.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import type { LayerProgress, ProgressListener } from "../spec/progress.ts";
import { blobPath } from "../store/blob.ts";
import { shortDigest, Slots } from "./blob_fetcher.ts";
import {
  type CompressedLayer,
  compressLayer,
  isPlainLayer,
  rememberedLayer,
} from "./compress_layer.ts";
import { noteOrigins, originsOf } from "./origins.ts";

/** How many blobs leave at once: docker's number. */
const PARALLEL = 5;
/** How many repositories are asked whether a blob can be taken over from there. */
const MOUNTS_TRIED = 3;
const PROGRESS_MS = 100;

/** What pushing is given. */
export interface PushBlobsOptions {
  signal: AbortSignal;
  onProgress: ProgressListener;
}

/** Sends the blobs of images to one repository, each once. */
export class BlobPusher {
  readonly #paths: StorePaths;
  readonly #repository: Repository;
  readonly #options: PushBlobsOptions;
  readonly #slots = new Slots(PARALLEL);
  readonly #pushes = new Map<Digest, Promise<Descriptor>>();

  constructor(paths: StorePaths, repository: Repository, options: PushBlobsOptions) {
    this.#paths = paths;
    this.#repository = repository;
    this.#options = options;
  }

  /** Sends a layer. @returns What it is there: plain ones get compressed. */
  pushLayer(layer: Descriptor, diffId: Digest): Promise<Descriptor> {
    const say = (status: LayerProgress["status"], currentBytes?: number, totalBytes?: number) =>
      this.#options.onProgress({
        kind: "layer",
        id: shortDigest(diffId),
        status,
        ...currentBytes !== undefined && { currentBytes },
        ...totalBytes !== undefined && { totalBytes },
      });
    return this.#once(layer, () => this.#pushLayer(layer, say), () => say("Waiting"));
  }

  /** Sends a config. */
  pushConfig(config: Descriptor): Promise<Descriptor> {
    return this.#once(config, async () => {
      if (await this.#place(config) === undefined) await this.#upload(config);
      return config;
    }, () => {});
  }

  #once(
    blob: Descriptor,
    push: () => Promise<Descriptor>,
    onWait: () => void,
  ): Promise<Descriptor> {
    let running = this.#pushes.get(blob.digest);
    if (running === undefined) {
      running = this.#inTurn(push, onWait);
      this.#pushes.set(blob.digest, running);
    }
    return running;
  }

  async #inTurn(push: () => Promise<Descriptor>, onWait: () => void): Promise<Descriptor> {
    using _slot = await this.#slots.take(onWait);
    this.#options.signal.throwIfAborted();
    const pushed = await push();
    noteOrigins(this.#paths, [pushed], this.#repository.name);
    return pushed;
  }

  async #pushLayer(layer: Descriptor, say: Say): Promise<Descriptor> {
    const isPlain = isPlainLayer(layer);
    const known = isPlain ? rememberedLayer(this.#paths, layer) : layer;
    if (known !== undefined) {
      const placed = await this.#place(known);
      if (placed !== undefined) {
        say(placed);
        return known;
      }
    }
    if (!isPlain) {
      await this.#upload(layer, say);
      return layer;
    }
    using compressed = await compressLayer(this.#paths, layer, this.#options.signal);
    const { descriptor } = compressed;
    const placed = await this.#place(descriptor);
    if (placed === undefined) await this.#upload(descriptor, say, compressed);
    else say(placed);
    return descriptor;
  }

  /** Sees to it that the registry has the blob without sending it. @returns How, if that worked. */
  async #place({ digest }: Descriptor): Promise<LayerProgress["status"] | undefined> {
    const { signal } = this.#options;
    if (await this.#repository.hasBlob(digest, { signal }) !== undefined) {
      return "Layer already exists";
    }
    const { domain, repository } = this.#repository.name;
    const others = originsOf(this.#paths, digest, domain).filter((other) => other !== repository);
    for (const other of others.slice(0, MOUNTS_TRIED)) {
      if (await this.#repository.mountBlob(digest, other, { signal })) {
        return `Mounted from ${other}`;
      }
    }
    return undefined;
  }

  async #upload(blob: Descriptor, say?: Say, compressed?: CompressedLayer): Promise<void> {
    const { signal } = this.#options;
    const path = compressed?.path ?? blobPath(this.#paths, blob.digest);
    let toldMs = 0;
    await this.#repository.uploadBlob(blob, (offset) => readFrom(path, offset), {
      signal,
      onProgress: (sentBytes) => {
        const nowMs = performance.now();
        if (nowMs - toldMs < PROGRESS_MS) return;
        toldMs = nowMs;
        say?.("Pushing", sentBytes, blob.size);
      },
    });
    say?.("Pushed");
  }
}

type Say = (status: LayerProgress["status"], currentBytes?: number, totalBytes?: number) => void;

async function readFrom(
  path: string,
  offset: number,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const file = await Deno.open(path);
  await file.seek(offset, Deno.SeekMode.Start);
  return file.readable;
}
