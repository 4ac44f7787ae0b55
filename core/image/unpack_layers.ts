/**
 * Unpacking what is missing of an image: several layers at once, each by one process.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { isDirectory } from "../host/stat.ts";
import { chainIds } from "../layer/chain_id.ts";
import type { UnpackBlobResult } from "../layer/unpack_blob.ts";
import type { Digest, Manifest } from "../spec/image.ts";
import { blobPath } from "../store/blob.ts";
import { LOCK_PREFIX, lockPath } from "../store/file_lock.ts";
import type { LayerWorker } from "./ensure_unpacked.ts";
import { linkLayer, placeLayer } from "./place_layer.ts";
import { markVerified, verifyLayers } from "./verify_layers.ts";

/** How many layers are unpacked at once. */
const PARALLEL = 4;

/** How to unpack. */
export interface UnpackLayersOptions {
  /** How many at once, lowest first. @default 4 */
  parallel?: number;
  /** How large a layer may become, by the size of its blob; more is an attack on the disk. @default any size */
  limit?: (blobBytes: number) => number;
  /** Told when a layer is in its place. */
  onPlaced?: (index: number) => void;
}

/**
 * As `ensureUnpacked()`, for an image whose manifest is in hand.
 *
 * Layers that another process is unpacking are waited for.
 *
 * @throws {DhowError} `invalid_layer`, `digest_mismatch`, `no_space`. Layers that were complete stay; nothing half made
 *   does.
 */
export async function unpackLayers(
  paths: StorePaths,
  image: {
    id: Digest;
    diffIds: readonly Digest[];
    layers: Manifest["layers"];
  },
  worker: LayerWorker,
  options: UnpackLayersOptions = {},
): Promise<string[]> {
  const { diffIds, layers } = image;
  if (layers.length !== diffIds.length) {
    throw new DhowError(
      "invalid_layer",
      `Cannot unpack image ${image.id}: it has ${layers.length} layers and ${diffIds.length} diffIDs`,
    );
  }
  const base = `${paths.layers}/${worker.mapping}`;
  for (const directory of ["l", "s"]) {
    await Deno.mkdir(`${base}/${directory}`, { recursive: true, mode: 0o700 });
  }
  const chains = chainIds(diffIds);
  await verifyLayers(paths, chains, worker);
  const jobs: LayerJob[] = [];
  for (const [index, chainId] of chains.entries()) {
    jobs.push(new LayerJob(paths, { base, chainId, below: jobs.slice() }));
    jobs[index]!.placed.then(() => options.onPlaced?.(index), () => {});
  }
  try {
    await inParallel([...jobs.entries()], options.parallel ?? PARALLEL, async ([index, job]) => {
      const { digest, size } = layers[index]!;
      const maxBytes = options.limit?.(size);
      const layer = { digest, diffId: diffIds[index]!, ...maxBytes !== undefined && { maxBytes } };
      await job.unpack(layer, worker);
    });
  } finally {
    await Promise.allSettled(jobs.map((job) => job.ended));
  }
  const links = await Promise.all(jobs.map((job) => job.placed));
  for (const chainId of chains) markVerified(paths, worker.mapping, chainId);
  return links;
}

/** What a layer is made of. */
interface LayerSource {
  digest: Digest;
  diffId: Digest;
  /** @see UnpackLayersOptions.limit */
  maxBytes?: number;
}

/**
 * One layer on its way into the store. The lock on it is held until it has its name, which takes those below: they are
 * begun earlier, by this process or by the one that has theirs, so that no two can wait for each other.
 */
class LayerJob {
  /** Resolves with the layer's short name, as a path, when it has it; rejects if it gets none. */
  readonly placed: Promise<string>;
  /** Resolves when nothing is done for this layer any more; at once, if nothing was begun. */
  ended: Promise<void> = Promise.resolve();
  readonly #settle = Promise.withResolvers<string>();
  readonly #paths: StorePaths;
  readonly #base: string;
  readonly #chainId: string;
  /** The layers below, lowest first. */
  readonly #below: readonly LayerJob[];

  constructor(
    paths: StorePaths,
    layer: { base: string; chainId: string; below: readonly LayerJob[] },
  ) {
    this.#paths = paths;
    this.#base = layer.base;
    this.#chainId = layer.chainId;
    this.#below = layer.below;
    this.placed = this.#settle.promise;
    // Who asks for it later still hears of it.
    this.placed.catch(() => {});
  }

  get #directory(): string {
    return `${this.#base}/${this.#chainId}`;
  }

  /** Resolves when the layer is unpacked, and has its name some time later: until then another can be unpacked. */
  async unpack(layer: LayerSource, worker: LayerWorker): Promise<void> {
    const unpacked = Promise.withResolvers<void>();
    this.ended = this.#run(layer, worker, unpacked.resolve).then(
      this.#settle.resolve,
      (error) => {
        this.#settle.reject(error);
        unpacked.reject(error);
      },
    );
    await unpacked.promise;
  }

  async #run(
    layer: LayerSource,
    worker: LayerWorker,
    onUnpacked: () => void,
  ): Promise<string> {
    if (!isDirectory(this.#directory)) await this.#make(layer, worker, onUnpacked);
    onUnpacked();
    return await linkLayer(this.#base, this.#chainId);
  }

  async #make(
    layer: LayerSource,
    worker: LayerWorker,
    onUnpacked: () => void,
  ): Promise<void> {
    const lock = `${this.#paths.tmp}/${LOCK_PREFIX}${worker.mapping}-${this.#chainId}`;
    using _lock = await lockPath(lock, { signal: worker.signal });
    if (isDirectory(this.#directory)) return;
    const temporary = `${this.#base}/.tmp-${crypto.randomUUID()}`;
    try {
      const result = await worker.unpack({
        blob: blobPath(this.#paths, layer.digest),
        into: temporary,
        diffId: layer.diffId,
        ...layer.maxBytes !== undefined && { maxBytes: layer.maxBytes },
      });
      onUnpacked();
      await this.#below.at(-1)?.placed;
      await this.#adopt(temporary, result, worker);
      const { sizeBytes } = result;
      const isPlaced = await placeLayer(this.#base, this.#chainId, { temporary, sizeBytes });
      if (!isPlaced) await worker.removeTrees([temporary]);
    } catch (error) {
      // Also if it seems not to be there: a worker that is killed leaves something behind.
      await worker.removeTrees([temporary]);
      throw error;
    }
  }

  async #adopt(into: string, result: UnpackBlobResult, worker: LayerWorker): Promise<void> {
    const directories = result.impliedDirectories;
    if (directories.length === 0 || this.#below.length === 0) return;
    const lowers = this.#below.map((job) => job.#directory).reverse();
    await worker.adopt({ into, directories, lowers });
  }
}

/** Runs `work` for all, a few at a time; when one fails waits for those that run, starts no more, and throws. */
async function inParallel<T>(
  items: T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const errors: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item);
      } catch (error) {
        errors.push(error);
        queue.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  if (errors.length > 0) throw errors[0];
}
