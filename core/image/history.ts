/**
 * `docker history`: the steps an image was made in.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { chainIds } from "../layer/chain_id.ts";
import type { ImageHistoryItem } from "../spec/docker_api.ts";
import type { Digest, History, ImageConfig } from "../spec/image.ts";
import { layerSize } from "./ensure_unpacked.ts";
import { shownReferences } from "./inspect_image.ts";
import { findImage } from "./resolve.ts";
import { listStoredImages, readConfig, readManifest, type StoredImage } from "./stored_image.ts";

/**
 * Lists the steps, the newest first. A step after which the image was the same as another of the store has that one's
 * id; the others have none.
 *
 * @param mapping Name of the id mapping whose layers are measured.
 * @throws {DhowError} `not_found`.
 */
export function imageHistory(
  paths: StorePaths,
  name: string,
  mapping: string,
): ImageHistoryItem[] {
  const image = findImage(paths, name);
  const config = readConfig(paths, image.id);
  const sizes = layerSizes(paths, image, config, mapping);
  const ids = stepIds(paths, image, config);
  let layer = 0;
  const steps: History[] = config.history ?? sizes.map(() => ({}));
  return steps.map((step, index) => {
    const isLast = index === steps.length - 1;
    return {
      Id: ids[index] ?? "<missing>",
      Created: Math.floor((Date.parse(step.created ?? "") || 0) / 1000),
      CreatedBy: step.created_by ?? "",
      Tags: isLast && image.references.length > 0 ? shownReferences(image) : null,
      Size: step.empty_layer ? 0 : sizes[layer++] ?? 0,
      Comment: step.comment ?? "",
    };
  }).reverse();
}

function layerSizes(
  paths: StorePaths,
  image: StoredImage,
  config: ImageConfig,
  mapping: string,
): number[] {
  const chains = chainIds(config.rootfs.diff_ids);
  const sizes = chains.map((chain) => layerSize(paths, chain, mapping));
  if (sizes.every((size) => size !== undefined)) return sizes;
  // Not unpacked here: what its blobs say.
  return readManifest(paths, image.manifest).layers.map(({ size }) => size);
}

/** The ids of the images that this one was made from, by the number of the step. */
function stepIds(paths: StorePaths, image: StoredImage, config: ImageConfig): Digest[] {
  const steps = config.history ?? [];
  const ids: Digest[] = [];
  for (const other of listStoredImages(paths)) {
    if (other.id === image.id) continue;
    const length = commonSteps(config, tryConfig(paths, other.id));
    if (length > 0 && length < steps.length) ids[length - 1] = other.id;
  }
  ids[Math.max(steps.length, 1) - 1] = image.id;
  return ids;
}

/** How many steps `other` has, if they are the first ones of `config`; else 0. */
function commonSteps(config: ImageConfig, other: ImageConfig | undefined): number {
  const steps = other?.history ?? [];
  if (other === undefined || steps.length > (config.history?.length ?? 0)) return 0;
  if (other.rootfs.diff_ids.some((id, index) => id !== config.rootfs.diff_ids[index])) return 0;
  const isSame = steps.every((step, index) =>
    JSON.stringify(step) === JSON.stringify(config.history![index])
  );
  return isSame ? steps.length : 0;
}

function tryConfig(paths: StorePaths, id: Digest): ImageConfig | undefined {
  try {
    return readConfig(paths, id);
  } catch {
    return undefined; // removed meanwhile
  }
}
