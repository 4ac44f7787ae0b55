/**
 * Image layers as directories, for one id mapping: what an overlay mount stands on.
 *
 *     layers/<mapping>/<chainID>/     a layer, complete since it has this name
 *     layers/<mapping>/l/<short>      -> ../<chainID>
 *     layers/<mapping>/s/<chainID>    its size in bytes, as decimal digits
 *
 * @module
 */
import { isDirectory } from "../host/stat.ts";
import { lazy } from "../lib/lazy.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { chainIds, shortLayerName } from "../layer/chain_id.ts";
import type { AdoptRequest } from "../layer/implied.ts";
import type { UnpackBlobRequest, UnpackBlobResult } from "../layer/unpack_blob.ts";
import type { Digest, Manifest } from "../spec/image.ts";
import { isVerified, markVerified, verifyLayers } from "./verify_layers.ts";

/** Work that has to be done as root of the containers' user namespace. */
export interface LayerWorker {
  /** Name of the id mapping, as a directory name. */
  readonly mapping: string;
  unpack(request: UnpackBlobRequest): Promise<UnpackBlobResult>;
  adopt(request: AdoptRequest): Promise<void>;
  /** Bytes in a tree, as `measureTree()`. */
  measure(directory: string): Promise<number>;
  /** Removes directory trees whatever owner their files have. */
  removeTrees(paths: string[]): Promise<void>;
}

/** How many layers are unpacked at once. */
const PARALLEL = 4;

/**
 * The directories of an image's layers, if all are unpacked and fit for use: lowest first, by their short names.
 *
 * Two stat(2) a layer; undefined if one is missing or was not looked at since the machine came up.
 */
export function findUnpacked(
  paths: StorePaths,
  diffIds: readonly Digest[],
  mapping: string,
): string[] | undefined {
  const chains = chainIds(diffIds);
  if (!chains.every((chainId) => isVerified(paths, mapping, chainId))) return undefined;
  return linksOf(paths, chains, mapping);
}

/** As {@linkcode findUnpacked}, of layers that need not be fit for use: to be shown, not mounted. */
export function linksOf(
  paths: StorePaths,
  chains: readonly string[],
  mapping: string,
): string[] | undefined {
  const links = chains.map((chain) => `${paths.layers}/${mapping}/l/${shortLayerName(chain)}`);
  return links.every(isDirectory) ? links : undefined;
}

/** Bytes of an image's unpacked layers, together; undefined if that is not known for all of them. */
export function unpackedSize(
  paths: StorePaths,
  diffIds: readonly Digest[],
  mapping: string,
): number | undefined {
  let sum = 0;
  for (const chainId of chainIds(diffIds)) {
    try {
      sum += Number(Deno.readTextFileSync(`${paths.layers}/${mapping}/s/${chainId}`));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
  return sum;
}

/**
 * Unpacks what is missing of an image, several layers at once, and answers as {@linkcode findUnpacked}.
 *
 * Any number of processes may do this for the same image: who is late throws its work away. The caller holds a lease.
 *
 * @throws {DhowError} `invalid_layer`, `digest_mismatch`, `no_space`, `not_found` if a blob is missing. Layers that
 *   were complete stay; nothing half made does.
 */
export async function ensureUnpacked(
  paths: StorePaths,
  image: { id: Digest; diffIds: readonly Digest[] },
  worker: LayerWorker,
): Promise<string[]> {
  // Not from the manifest yet: a container's layers may outlive its image.
  await verifyLayers(paths, chainIds(image.diffIds), worker);
  const found = findUnpacked(paths, image.diffIds, worker.mapping);
  if (found !== undefined) return found;
  const { readManifest, listStoredImages } = await lazy<typeof import("./stored_image.ts")>(
    "./stored_image.ts",
    import.meta.url,
  );
  const stored = listStoredImages(paths).find(({ id }) => id === image.id);
  if (stored === undefined) {
    throw new DhowError("not_found", `Cannot unpack image ${image.id}: it is not in the store`);
  }
  return await unpackLayers(paths, {
    ...image,
    layers: readManifest(paths, stored.manifest).layers,
  }, worker);
}

/** As {@linkcode ensureUnpacked}, for an image whose manifest is in hand. */
export async function unpackLayers(
  paths: StorePaths,
  image: {
    id: Digest;
    diffIds: readonly Digest[];
    layers: Manifest["layers"];
  },
  worker: LayerWorker,
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
  const jobs = chains.map((chainId, index) => new LayerJob(paths, base, chainId, index));
  try {
    await inParallel(
      jobs,
      (job) => job.unpack(layers[job.index]!.digest, diffIds[job.index]!, worker),
    );
    const below: string[] = [];
    for (const job of jobs) {
      below.unshift(await job.place(worker, below));
    }
  } finally {
    const left = jobs.flatMap((job) => job.temporary ?? []);
    if (left.length > 0) await worker.removeTrees(left);
  }
  for (const chainId of chains) markVerified(paths, worker.mapping, chainId);
  return jobs.map((job) => job.link);
}

/** One layer on its way into the store. */
class LayerJob {
  readonly index: number;
  readonly link: string;
  readonly #directory: string;
  readonly #sizeFile: string;
  readonly #paths: StorePaths;
  /** What exists under a temporary name. */
  temporary: string | undefined;
  result: UnpackBlobResult | undefined;

  constructor(paths: StorePaths, base: string, chainId: string, index: number) {
    this.#paths = paths;
    this.index = index;
    this.#directory = `${base}/${chainId}`;
    this.#sizeFile = `${base}/s/${chainId}`;
    this.link = `${base}/l/${shortLayerName(chainId)}`;
  }

  async unpack(digest: Digest, diffId: Digest, worker: LayerWorker): Promise<void> {
    if (isDirectory(this.#directory)) return;
    const { blobPath } = await lazy<typeof import("../store/blob.ts")>(
      "../store/blob.ts",
      import.meta.url,
    );
    const slash = this.#directory.lastIndexOf("/");
    const into = `${this.#directory.slice(0, slash)}/.tmp-${crypto.randomUUID()}`;
    // Before it is there: a worker that is killed leaves something behind.
    this.temporary = into;
    this.result = await worker.unpack({ blob: blobPath(this.#paths, digest), into, diffId });
  }

  /** Gives the layer its name. @param below Directories of the layers below, the nearest first. @returns Its directory. */
  async place(worker: LayerWorker, below: string[]): Promise<string> {
    const { temporary, result } = this;
    if (temporary !== undefined && result !== undefined) {
      if (result.impliedDirectories.length > 0 && below.length > 0) {
        const directories = result.impliedDirectories;
        await worker.adopt({ into: temporary, directories, lowers: below });
      }
      await Deno.writeTextFile(this.#sizeFile, String(result.sizeBytes));
      try {
        await Deno.rename(temporary, this.#directory);
        this.temporary = undefined;
      } catch (error) {
        // Another process was faster, and made the same.
        if (!isDirectory(this.#directory)) throw error;
      }
    }
    await this.#placeLink();
    return this.#directory;
  }

  async #placeLink(): Promise<void> {
    const target = `..${this.#directory.slice(this.#directory.lastIndexOf("/"))}`;
    try {
      await Deno.symlink(target, this.link);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      if (await Deno.readLink(this.link) === target) return;
      throw new DhowError("internal", `Cannot name a layer "${this.link}": the name is taken`);
    }
  }
}

/** Runs `work` for all, a few at a time; when one fails waits for those that run, starts no more, and throws. */
async function inParallel<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
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
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  if (errors.length > 0) throw errors[0];
}
