/**
 * `docker commit`, the image half: a new image from an old one and a layer that was packed.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { chainIds } from "../layer/chain_id.ts";
import { canonicalReference, parseReference } from "../lib/reference.ts";
import type { Descriptor, Digest, ImageConfig, ImageRunConfig } from "../spec/image.ts";
import { addImage } from "./add_image.ts";
import { unpackedSize } from "./ensure_unpacked.ts";
import { MEDIA_TYPES, storeImage } from "./import_image.ts";
import { linkLayer, placeLayer } from "./place_layer.ts";
import { findImage } from "./resolve.ts";
import { readConfig, readManifest } from "./stored_image.ts";
import { markVerified } from "./verify_layers.ts";

/** What the new image is made of. */
export interface CommitParts {
  /** The image below. */
  baseId: Digest;
  /** The layer: its blob is in the store; undefined if nothing has changed. */
  layer?: { digest: Digest; size: number; sizeBytes: number; temporary: string };
  config: ImageRunConfig;
  /** What made the change; goes into the history. */
  createdBy: string;
  author?: string;
  comment?: string;
  /** Canonical. */
  reference?: string;
}

/** Reads the name of an image to be. @throws {DhowError} `invalid_argument`, in docker's words. */
export function commitReference(text: string): string {
  const reference = parseReference(text);
  if (reference.digest !== undefined) {
    throw new DhowError("invalid_argument", "refusing to create a tag with a digest reference");
  }
  return canonicalReference(reference);
}

/**
 * Stores the image and names it. The caller holds a lease.
 *
 * @returns Its id, and whether the unpacked layer's temporary directory is gone.
 * @throws {DhowError} `not_found` if the image below is gone; `no_space`.
 */
export async function commitImage(
  paths: StorePaths,
  mapping: string,
  parts: CommitParts,
): Promise<{ id: Digest; isPlaced: boolean }> {
  const { layer, author, comment = "", createdBy } = parts;
  const base = readConfig(paths, parts.baseId);
  const { layers } = readManifest(paths, findImage(paths, parts.baseId).manifest);
  const created = new Date().toISOString();
  const diffIds = [...base.rootfs.diff_ids, ...layer ? [layer.digest] : []];
  const { author: _author, comment: _comment, ...inherited } = base;
  const config: ImageConfig = {
    ...inherited,
    created,
    ...author && { author },
    config: parts.config,
    rootfs: { type: "layers", diff_ids: diffIds },
    history: [...base.history ?? [], {
      created,
      created_by: createdBy,
      ...author && { author },
      ...comment && { comment },
      ...!layer && { empty_layer: true },
    }],
    ...comment && { comment },
  };
  const isPlaced = layer === undefined || await place(paths, mapping, diffIds, layer);
  const added: Descriptor[] = layer
    ? [{ mediaType: MEDIA_TYPES.layer, digest: layer.digest, size: layer.size }]
    : [];
  const image = await storeImage(paths, config, [...layers, ...added]);
  const { reference } = parts;
  addImage(paths, {
    ...image,
    references: reference === undefined ? [] : [reference],
    sizeBytes: unpackedSize(paths, diffIds, mapping),
  });
  return { id: image.id, isPlaced };
}

async function place(
  paths: StorePaths,
  mapping: string,
  diffIds: Digest[],
  layer: { sizeBytes: number; temporary: string },
): Promise<boolean> {
  const chainId = chainIds(diffIds).at(-1)!;
  const base = `${paths.layers}/${mapping}`;
  const isPlaced = await placeLayer(base, chainId, layer);
  await linkLayer(base, chainId);
  // What was there before may be what a power cut has left of it.
  if (isPlaced) markVerified(paths, mapping, chainId);
  return isPlaced;
}
