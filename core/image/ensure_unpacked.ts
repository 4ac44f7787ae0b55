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
import type { Digest } from "../spec/image.ts";
import { isVerified, verifyLayers } from "./verify_layers.ts";

/** Work that has to be done as root of the containers' user namespace. */
export interface LayerWorker {
  /** Name of the id mapping, as a directory name. */
  readonly mapping: string;
  /** Ends the waiting for layers that another process unpacks. */
  readonly signal?: AbortSignal | undefined;
  unpack(request: UnpackBlobRequest): Promise<UnpackBlobResult>;
  adopt(request: AdoptRequest): Promise<void>;
  /** Bytes in a tree, as `measureTree()`. */
  measure(directory: string): Promise<number>;
  /** Removes directory trees whatever owner their files have. */
  removeTrees(paths: string[]): Promise<void>;
}

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
    const size = layerSize(paths, chainId, mapping);
    if (size === undefined) return undefined;
    sum += size;
  }
  return sum;
}

/** Bytes of one unpacked layer, as docker counts; undefined if it is not unpacked. */
export function layerSize(
  paths: StorePaths,
  chainId: string,
  mapping: string,
): number | undefined {
  try {
    return Number(Deno.readTextFileSync(`${paths.layers}/${mapping}/s/${chainId}`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Unpacks what is missing of an image, several layers at once, and answers as {@linkcode findUnpacked}.
 *
 * Any number of processes may do this for the same image: who comes late waits for the first. The caller holds a lease.
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
  const { unpackLayers } = await lazy<typeof import("./unpack_layers.ts")>(
    "./unpack_layers.ts",
    import.meta.url,
  );
  return await unpackLayers(paths, {
    ...image,
    layers: readManifest(paths, stored.manifest).layers,
  }, worker);
}
