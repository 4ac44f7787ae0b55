/**
 * The receiving side of a transfer between two dhows. The other side is a stranger: digests, sizes and names are checked
 * before an image is known here.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { statIfThere } from "../host/stat.ts";
import { isDigest } from "../lib/digest.ts";
import type { Descriptor, Digest, ImageConfig, Manifest } from "../spec/image.ts";
import type { ProgressListener } from "../spec/progress.ts";
import { blobPath, BlobWriter, readDocument } from "../store/blob.ts";
import { collectBlobs } from "../store/gc.ts";
import { leaseStore } from "../store/layout.ts";
import { addImage } from "./add_image.ts";
import { assertImageConfig } from "./config_shape.ts";
import { type LayerWorker, unpackedSize } from "./ensure_unpacked.ts";
import type { FrameChannel } from "./ssh_frames.ts";
import {
  checkOffer,
  type Done,
  type Hello,
  type Offer,
  type OfferedImage,
  TRANSFER_VERSION,
  type Want,
} from "./ssh_messages.ts";
import { shortened } from "./ssh_send.ts";
import { unpackLayers } from "./unpack_layers.ts";

/** What to receive. */
export interface ReceiveOptions {
  /** Names of images to ask for; undefined takes what is given. */
  names?: string[];
  platform?: string;
  signal?: AbortSignal;
  onProgress?: ProgressListener;
}

/**
 * Receives images, unpacks and names them.
 *
 * Blobs that came whole before the connection broke stay until the next sweep, and need not travel again.
 *
 * @throws {DhowError} What the other side says; `invalid_archive`, `digest_mismatch`, `invalid_layer` for what it sends;
 *   `no_space`, `unavailable`. Images that were complete stay.
 */
export async function receiveImages(
  paths: StorePaths,
  channel: FrameChannel,
  worker: LayerWorker,
  options: ReceiveOptions = {},
): Promise<Done["done"]> {
  try {
    return await receiveAll(paths, channel, worker, options);
  } catch (error) {
    if (!(error instanceof DhowError) || error.code !== "unavailable") collectBlobs(paths);
    throw error;
  }
}

async function receiveAll(
  paths: StorePaths,
  channel: FrameChannel,
  worker: LayerWorker,
  options: ReceiveOptions,
): Promise<Done["done"]> {
  using _lease = leaseStore(paths);
  const { names, platform, signal, onProgress } = options;
  const hello: Hello = {
    dhow: TRANSFER_VERSION,
    ...names && { names },
    ...platform && { platform },
  };
  await channel.send(hello);
  const images = checkOffer(await channel.receive<Offer>());
  const layers = new Set(images.flatMap((image) => image.layers.map(({ digest }) => digest)));
  const missing = missingBlobs(paths, images);
  for (const digest of layers) {
    const status = missing.has(digest) ? "Waiting" : "Already exists";
    onProgress?.({ kind: "layer", id: shortened(digest), status });
  }
  await channel.send({ want: [...missing.keys()] } satisfies Want);
  for (const [digest, size] of missing) {
    signal?.throwIfAborted();
    const listener = layers.has(digest) ? onProgress : undefined;
    await receiveBlob(paths, channel, { digest, size }, listener);
  }
  const done: Done["done"] = [];
  for (const image of images) done.push(await keepImage(paths, image, worker));
  await channel.send({ done } satisfies Done);
  return done;
}

/** Sizes of the blobs that are not here, by digest. A size that is said twice must be the same. */
function missingBlobs(paths: StorePaths, images: OfferedImage[]): Map<Digest, number> {
  const missing = new Map<Digest, number>();
  for (const { manifest, config, layers } of images) {
    for (const { digest, size } of [...layers, config, manifest]) {
      if (statIfThere(blobPath(paths, digest))?.size === size) continue;
      if ((missing.get(digest) ?? size) !== size) {
        throw new DhowError("invalid_archive", `The other dhow gives blob ${digest} two sizes`);
      }
      missing.set(digest, size);
    }
  }
  return missing;
}

async function receiveBlob(
  paths: StorePaths,
  channel: FrameChannel,
  { digest, size }: { digest: Digest; size: number },
  onProgress: ProgressListener | undefined,
): Promise<void> {
  using writer = await BlobWriter.create(paths);
  const id = shortened(digest);
  while (writer.sizeBytes < size) {
    const bytes = await channel.receiveData();
    if (bytes.length === 0 || writer.sizeBytes + bytes.length > size) {
      throw new DhowError(
        "invalid_archive",
        `The other dhow sent more or less of blob ${digest} than the ${size} bytes it has`,
      );
    }
    writer.write(bytes);
    const currentBytes = writer.sizeBytes;
    onProgress?.({ kind: "layer", id, status: "Downloading", currentBytes, totalBytes: size });
  }
  writer.commit({ digest, size });
  onProgress?.({ kind: "layer", id, status: "Pull complete" });
}

async function keepImage(
  paths: StorePaths,
  image: OfferedImage,
  worker: LayerWorker,
): Promise<{ id: Digest; references: string[] }> {
  const manifest = readDocument<Manifest>(paths, image.manifest);
  assertSame(manifest.config, image.config);
  if (!Array.isArray(manifest.layers) || manifest.layers.length !== image.layers.length) {
    throw new DhowError("invalid_archive", `Manifest ${image.manifest.digest} has other layers`);
  }
  manifest.layers.forEach((layer, index) => assertSame(layer, image.layers[index]!));
  const config = readDocument<ImageConfig>(paths, image.config);
  assertImageConfig(config, `Cannot receive image ${image.config.digest}`);
  const diffIds: unknown = config.rootfs?.diff_ids;
  if (!Array.isArray(diffIds) || !diffIds.every((id) => typeof id === "string" && isDigest(id))) {
    throw new DhowError("invalid_archive", `Blob ${image.config.digest} is no image config`);
  }
  const id = image.config.digest;
  await unpackLayers(paths, { id, diffIds, layers: manifest.layers }, worker);
  const { references } = image;
  const sizeBytes = unpackedSize(paths, diffIds, worker.mapping);
  addImage(paths, { id, manifest: image.manifest, references, sizeBytes });
  return { id, references };
}

function assertSame(found: Descriptor | undefined, offered: Descriptor): void {
  if (found?.digest === offered.digest && found.size === offered.size) return;
  throw new DhowError(
    "invalid_archive",
    `The other dhow offered blob ${offered.digest}, but its manifest names ${found?.digest}`,
  );
}
