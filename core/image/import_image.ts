/**
 * `dhow import`: an image of one layer from a root file system's tar.
 *
 * What is already gzip or zstd is kept as it came: reading 164 MB back through zlib costs less than writing them
 * costs disk. Everything else (xz, bzip2, plain) is stored as a plain tar, whose blob digest is the diffID.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { Decompressor } from "../layer/compression.ts";
import { canonicalReference, parseReference } from "../lib/reference.ts";
import type { Descriptor, Digest, ImageConfig, ImageRunConfig, Manifest } from "../spec/image.ts";
import { BlobWriter, writeDocument } from "../store/blob.ts";
import { collectBlobs } from "../store/gc.ts";
import { leaseStore } from "../store/layout.ts";
import { addImage } from "./add_image.ts";
import { applyChanges } from "./changes.ts";
import { type LayerWorker, unpackedSize } from "./ensure_unpacked.ts";
import { hostArchitecture } from "./stored_image.ts";
import { unpackLayers } from "./unpack_layers.ts";

/** How to import. */
export interface ImportOptions {
  reference?: string;
  /** Becomes the image's comment. */
  message?: string;
  /** Dockerfile instructions. */
  changes?: string[];
  /** `linux/arm64/v8`. */
  platform?: string;
  signal?: AbortSignal;
}

/** Media types of image-spec. */
export const MEDIA_TYPES = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

/**
 * Stores, unpacks and names an image.
 *
 * @returns The image's id.
 * @throws {DhowError} `invalid_argument` for what the caller asked; `invalid_layer` for what the tar holds; `no_space`.
 *   The store is then as before.
 */
export async function importImage(
  paths: StorePaths,
  tar: ReadableStream<Uint8Array>,
  options: ImportOptions,
  worker: LayerWorker,
): Promise<Digest> {
  const reference = options.reference === undefined ? undefined : targetOf(options.reference);
  const platform = parsePlatform(options.platform);
  const run = applyChanges({}, options.changes ?? []);
  try {
    return await makeImage(paths, tar, { ...options, reference, platform, run }, worker);
  } catch (error) {
    collectBlobs(paths);
    throw error;
  }
}

/** What {@linkcode importImage} was asked for, checked. */
interface CheckedOptions {
  reference: string | undefined;
  platform: ReturnType<typeof parsePlatform>;
  run: ImageRunConfig;
  message?: string;
  signal?: AbortSignal;
}

async function makeImage(
  paths: StorePaths,
  tar: ReadableStream<Uint8Array>,
  options: CheckedOptions,
  worker: LayerWorker,
): Promise<Digest> {
  using _lease = leaseStore(paths);
  const { layer, diffId } = await storeLayer(paths, tar, options.signal);
  const created = new Date().toISOString();
  const comment = options.message || "Imported from -";
  const config: ImageConfig = {
    created,
    ...options.platform,
    config: options.run,
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created, comment }],
    comment,
  };
  const image = await storeImage(paths, config, [layer]);
  await unpackLayers(paths, { id: image.id, diffIds: [diffId], layers: [layer] }, worker);
  options.signal?.throwIfAborted();
  const sizeBytes = unpackedSize(paths, [diffId], worker.mapping);
  const { reference } = options;
  addImage(paths, { ...image, references: reference === undefined ? [] : [reference], sizeBytes });
  return image.id;
}

function targetOf(text: string): string {
  const reference = parseReference(text);
  if (reference.digest !== undefined) {
    throw new DhowError("invalid_argument", "cannot import digest reference");
  }
  return canonicalReference(reference);
}

function parsePlatform(
  text: string | undefined,
): { architecture: string; os: string; variant?: string } {
  if (!text) return { architecture: hostArchitecture(), os: "linux" };
  const parts = text.toLowerCase().split("/");
  const os = parts.length === 1 && parts[0] !== "linux" ? "linux" : parts[0]!;
  const architecture = parts.length === 1 ? parts[0] : parts[1];
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]+$/.test(part))) {
    throw new DhowError("invalid_argument", `"${text}": invalid platform`);
  }
  if (os !== "linux") throw new DhowError("unsupported", "operating system is not supported");
  const known: Record<string, string> = { x86_64: "amd64", aarch64: "arm64", linux: "" };
  return {
    architecture: (known[architecture!] ?? architecture!) || hostArchitecture(),
    os,
    ...(parts[2] !== undefined && { variant: parts[2] }),
  };
}

async function storeLayer(
  paths: StorePaths,
  tar: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<{ layer: Descriptor; diffId: Digest }> {
  using writer = await BlobWriter.create(paths);
  const { createHash } = await import("node:crypto");
  const plain = createHash("sha256");
  // Chunks from before it was known how the data is compressed.
  let held: Uint8Array[] | undefined = [];
  using decompressor = new Decompressor((bytes) => {
    // Decided with the first bytes: gzip and zstd are stored as they come, the rest as what they hold.
    if (keepsCompressed(decompressor)) plain.update(bytes);
    else writer.write(bytes);
  });
  for await (const chunk of tar) {
    signal?.throwIfAborted();
    decompressor.push(chunk as Uint8Array<ArrayBuffer>);
    held?.push(chunk.slice());
    if (!decompressor.started) continue;
    if (keepsCompressed(decompressor)) { for (const part of held ?? [chunk]) writer.write(part); }
    held = undefined;
  }
  decompressor.end();
  const { digest, size } = writer.commit();
  const { compression } = decompressor;
  if (!keepsCompressed(decompressor)) {
    return { layer: { mediaType: MEDIA_TYPES.layer, digest, size }, diffId: digest };
  }
  return {
    layer: { mediaType: `${MEDIA_TYPES.layer}+${compression}`, digest, size },
    diffId: `sha256:${plain.digest("hex")}`,
  };
}

function keepsCompressed(decompressor: Decompressor): boolean {
  return decompressor.compression === "gzip" || decompressor.compression === "zstd";
}

/** Writes config and manifest. The layers are in the store. */
export async function storeImage(
  paths: StorePaths,
  config: ImageConfig,
  layers: Descriptor[],
): Promise<{ id: Digest; manifest: Descriptor }> {
  return await storeManifest(
    paths,
    await writeDocument(paths, MEDIA_TYPES.config, JSON.stringify(config)),
    layers,
  );
}

/** Writes a manifest. Config and layers are in the store. */
export async function storeManifest(
  paths: StorePaths,
  config: Descriptor,
  layers: Descriptor[],
): Promise<{ id: Digest; manifest: Descriptor }> {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config,
    layers,
  };
  const text = JSON.stringify(manifest);
  return {
    id: config.digest,
    manifest: await writeDocument(paths, MEDIA_TYPES.manifest, text),
  };
}
