/**
 * `docker image prune`: removes images that no container uses.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { isDirectory, statIfThere } from "../host/stat.ts";
import { pruneFilter } from "../lib/prune_filter.ts";
import { familiarReference, parseReference } from "../lib/reference.ts";
import { updateIndex } from "../store/layout.ts";
import { layerSize } from "./ensure_unpacked.ts";
import type { ImageUser } from "./image_users.ts";
import { deadChains, type RemovedItem, type RemoveOptions, sweep } from "./remove_image.ts";
import { groupImages, imageIdOf, readConfig, type StoredImage } from "./stored_image.ts";

/** What pruning needs beside what removing does. */
export interface PruneImagesOptions extends Omit<RemoveOptions, "force"> {
  /** Also images that have names. @default false */
  all?: boolean;
  /** `until`, `label`, `label!`. */
  filters?: Record<string, string[]>;
  /** Name of the id mapping whose layers are measured. */
  mapping: string;
}

/** What has gone. */
export interface ImagesPruned {
  removed: RemovedItem[];
  reclaimedBytes: number;
}

/**
 * Removes images without names, or with `all` any, that no container stands on and that pass the filters; and what was
 * left behind while somebody held a lease.
 *
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export async function pruneImages(
  paths: StorePaths,
  options: PruneImagesOptions,
): Promise<ImagesPruned> {
  const isWanted = selector(paths, options);
  let users: ImageUser[] = [];
  const gone: StoredImage[] = [];
  updateIndex(paths, (manifests) => {
    users = options.users();
    const used = new Set(users.map(({ imageId }) => imageId));
    gone.push(...groupImages(paths, manifests).filter((one) => !used.has(one.id) && isWanted(one)));
    if (gone.length === 0) return undefined;
    const rest = new Set(gone.map(({ id }) => id));
    return manifests.filter((line) => !rest.has(imageIdOf(paths, line) ?? ""));
  });
  const removed: RemovedItem[] = [];
  const dead = new Set<string>();
  for (const { id, references, repoDigests } of gone) {
    for (const reference of [...references.toSorted(), ...repoDigests.toSorted()]) {
      removed.push({ untagged: familiarReference(parseReference(reference)) });
    }
    removed.push({ deleted: id });
    for (const chain of deadChains(paths, id, users)) {
      if (!dead.has(chain)) removed.push({ deleted: chain });
      dead.add(chain);
    }
  }
  return { removed, reclaimedBytes: await sweepAndCount(paths, [...dead], options) };
}

/** Sweeps; bytes of the blobs and layers that are gone then. Nothing, if somebody else keeps them for the moment. */
async function sweepAndCount(
  paths: StorePaths,
  dead: string[],
  options: PruneImagesOptions,
): Promise<number> {
  const blobs = sizesIn(paths.blobs);
  const layers = dead.map((chain) => chain.slice("sha256:".length))
    .map((chain) => ({ chain, size: layerSize(paths, chain, options.mapping) ?? 0 }));
  await sweep(paths, options);
  let bytes = 0;
  for (const [name, size] of blobs) {
    if (statIfThere(`${paths.blobs}/${name}`) === undefined) bytes += size;
  }
  for (const { chain, size } of layers) {
    if (!isDirectory(`${paths.layers}/${options.mapping}/${chain}`)) bytes += size;
  }
  return bytes;
}

function sizesIn(directory: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name } of Deno.readDirSync(directory)) {
    sizes.set(name, statIfThere(`${directory}/${name}`)?.size ?? 0);
  }
  return sizes;
}

function selector(
  paths: StorePaths,
  { all = false, filters = {} }: PruneImagesOptions,
): (image: StoredImage) => boolean {
  const { dangling = [], ...rest } = filters;
  if (dangling.length > 0 && dangling.some((value) => /^(1|t|true)$/i.test(value) === all)) {
    throw new DhowError("invalid_argument", "invalid filter 'dangling=[false true]'");
  }
  const passes = pruneFilter(rest);
  return (image) => {
    if (!all && image.references.length + image.repoDigests.length > 0) return false;
    try {
      const config = readConfig(paths, image.id);
      return passes(Date.parse(config.created ?? "") || 0, config.config?.Labels ?? {});
    } catch {
      return false; // broken, or removed meanwhile
    }
  };
}
