/**
 * The sending side of a transfer between two dhows.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import type { ProgressListener } from "../spec/progress.ts";
import type { Digest } from "../spec/image.ts";
import { blobPath } from "../store/blob.ts";
import { leaseStore } from "../store/layout.ts";
import { collectImages, type SavedImage } from "./save_images.ts";
import { type FrameChannel, PIECE_MAX } from "./ssh_frames.ts";
import {
  checkHello,
  checkWant,
  type Done,
  type Hello,
  type Offer,
  type OfferedImage,
  type Want,
} from "./ssh_messages.ts";
import { listStoredImages } from "./stored_image.ts";

/** What to send. */
export interface SendOptions {
  /** Names of images; undefined leaves it to the receiver. */
  names?: readonly string[];
  platform?: string;
  onProgress?: ProgressListener;
}

/**
 * Sends images: only the blobs that the other side lacks travel.
 *
 * @returns What has arrived.
 * @throws {DhowError} `not_found` for images that are not here; what the other side says; `unavailable`.
 */
export async function sendImages(
  paths: StorePaths,
  channel: FrameChannel,
  options: SendOptions = {},
): Promise<Done["done"]> {
  using _lease = leaseStore(paths);
  const hello = checkHello(await channel.receive<Hello>());
  const names = options.names ?? hello.names ?? [];
  const platform = options.platform ?? hello.platform;
  const images = collectImages(paths, names.length > 0 ? names : allNames(paths), platform);
  await channel.send({ images: images.map(toOffer) } satisfies Offer);
  const offered = new Map(
    images.flatMap(blobsOf).map(({ digest, size }): [Digest, number] => [digest, size]),
  );
  const wanted = checkWant(await channel.receive<Want>(), offered);
  const missing = new Set(wanted);
  for (const digest of new Set(images.flatMap(({ manifest }) => manifest.layers.map(digestOf)))) {
    const status = missing.has(digest) ? "Waiting" : "Layer already exists";
    options.onProgress?.({ kind: "layer", id: shortened(digest), status });
  }
  const layers = new Set(images.flatMap(({ manifest }) => manifest.layers.map(digestOf)));
  for (const digest of wanted) {
    const onProgress = layers.has(digest) ? options.onProgress : undefined;
    await sendBlob(paths, channel, { digest, size: offered.get(digest)! }, onProgress);
  }
  return (await channel.receive<Done>()).done;
}

/** Everything that has a name. */
function allNames(paths: StorePaths): string[] {
  return listStoredImages(paths).flatMap(({ references }) => references);
}

function toOffer({ descriptor, manifest, references }: SavedImage): OfferedImage {
  const plain = ({ mediaType, digest, size }: typeof descriptor) => ({ mediaType, digest, size });
  return {
    manifest: plain(descriptor),
    config: plain(manifest.config),
    layers: manifest.layers.map(plain),
    references,
  };
}

function blobsOf({ descriptor, manifest }: SavedImage): { digest: Digest; size: number }[] {
  return [descriptor, manifest.config, ...manifest.layers];
}

async function sendBlob(
  paths: StorePaths,
  channel: FrameChannel,
  { digest, size }: { digest: Digest; size: number },
  onProgress: ProgressListener | undefined,
): Promise<void> {
  using file = await Deno.open(blobPath(paths, digest));
  const buffer = new Uint8Array(PIECE_MAX);
  const id = shortened(digest);
  for (let done = 0; done < size;) {
    const count = await file.read(buffer.subarray(0, Math.min(size - done, buffer.length)));
    if (count === null) {
      throw new DhowError("digest_mismatch", `Cannot send blob ${digest}: it is too short`);
    }
    await channel.sendData(buffer.subarray(0, count));
    done += count;
    onProgress?.({ kind: "layer", id, status: "Pushing", currentBytes: done, totalBytes: size });
  }
  onProgress?.({ kind: "layer", id, status: "Pushed" });
}

function digestOf({ digest }: { digest: Digest }): Digest {
  return digest;
}

/** As docker shows a layer. */
export function shortened(digest: Digest): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}
