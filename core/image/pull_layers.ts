/**
 * The layers of an image from a registry: fetched, checked, decompressed and unpacked in one go, several at once.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { DhowError } from "../errors.ts";
import type { AdoptRequest } from "../layer/implied.ts";
import type { UnpackBlobRequest, UnpackBlobResult } from "../layer/unpack_blob.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import type { ProgressListener } from "../spec/progress.ts";
import { blobPath } from "../store/blob.ts";
import { type BlobFetch, type BlobFetcher, shortDigest } from "./blob_fetcher.ts";
import type { LayerWorker } from "./ensure_unpacked.ts";
import type { LayerHelper } from "./layer_helper.ts";
import { unpackLayers } from "./unpack_layers.ts";

/** How many layers are unpacked at once: each takes a processor, and 10 MB. */
const UNPACKED_AT_ONCE = Math.min(navigator.hardwareConcurrency, 4);

/** What compressed bytes may become: gzip's best is 1030 to 1, but real layers stay far below. */
const RATIO_MAX = 200;
/** So much is never an attack. */
const HARMLESS_BYTES = 1 << 30;
/** So much always is. */
const LAYER_BYTES_MAX = 128 * 2 ** 30;

/** How large a layer may be unpacked, for its size in the registry. */
export function unpackedLimit(compressedBytes: number): number {
  return Math.min(Math.max(compressedBytes * RATIO_MAX, HARMLESS_BYTES), LAYER_BYTES_MAX);
}

/** An image whose layers are to come. */
export interface ComingImage {
  id: Digest;
  diffIds: readonly Digest[];
  layers: Descriptor[];
}

/** Unpacks all layers as they come in. The caller has begun to fetch them. */
export async function unpackComing(
  paths: StorePaths,
  image: ComingImage,
  options: { helper: LayerHelper; fetcher: BlobFetcher; onProgress: ProgressListener },
): Promise<void> {
  const { fetcher, onProgress } = options;
  const worker = new ComingWorker(paths, { ...options, layers: image.layers });
  const isNew = new Set<Digest>();
  await unpackLayers(paths, image, worker, {
    parallel: UNPACKED_AT_ONCE,
    onPlaced: (index) => {
      const { digest } = image.layers[index]!;
      if (isNew.has(digest)) return;
      isNew.add(digest);
      fetcher.fetch(image.layers[index]!).done.then(() => {
        onProgress({ kind: "layer", id: shortDigest(digest), status: "Pull complete" });
      }, () => {});
    },
  });
  // Layers that are unpacked but whose blobs were missing.
  await Promise.all(image.layers.map((layer) => fetcher.fetch(layer).done));
}

/** A worker that waits for blobs, or reads them while they come. */
class ComingWorker implements LayerWorker {
  readonly #helper: LayerHelper;
  readonly #fetches: ReadonlyMap<string, BlobFetch>;
  readonly #onProgress: ProgressListener;

  constructor(
    paths: StorePaths,
    options: {
      helper: LayerHelper;
      fetcher: BlobFetcher;
      layers: Descriptor[];
      onProgress: ProgressListener;
    },
  ) {
    this.#helper = options.helper;
    this.#onProgress = options.onProgress;
    this.#fetches = new Map(
      options.layers.map((
        layer,
      ) => [blobPath(paths, layer.digest), options.fetcher.fetch(layer)]),
    );
  }

  get mapping(): string {
    return this.#helper.mapping;
  }

  get signal(): AbortSignal | undefined {
    return this.#helper.signal;
  }

  async unpack(request: UnpackBlobRequest): Promise<UnpackBlobResult> {
    const { blob, openat2: _, ...rest } = request;
    const fetch = this.#fetches.get(String(blob));
    if (fetch === undefined) throw new DhowError("internal", `Cannot unpack "${blob}"`);
    const { size, digest } = fetch.descriptor;
    await fetch.begun;
    let isFetched = false;
    fetch.done.then(() => isFetched = true, () => {});
    const handle = this.#helper.unpackGrowing({
      request: { ...rest, maxBytes: unpackedLimit(size) },
      names: fetch.names,
    }, (usedBytes) => {
      if (!isFetched) return;
      this.#onProgress({
        kind: "layer",
        id: shortDigest(digest),
        status: "Extracting",
        currentBytes: usedBytes,
        totalBytes: size,
      });
    });
    fetch.follow(handle.grow);
    // A blob that stops coming leaves the helper waiting; it is stopped when the pull has failed.
    const [result] = await Promise.all([handle.result, fetch.done]);
    return result;
  }

  adopt(request: AdoptRequest): Promise<void> {
    return this.#helper.adopt(request);
  }

  measure(directory: string): Promise<number> {
    return this.#helper.measure(directory);
  }

  removeTrees(paths: string[]): Promise<void> {
    return this.#helper.removeTrees(paths);
  }
}
