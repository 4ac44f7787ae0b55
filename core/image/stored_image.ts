/**
 * The images of the store: `index.json` seen as images with ids, names and sizes.
 *
 * What docker asks of every image (its id, its size, when it was tagged) is kept as annotations of its line in
 * `index.json`, so that a name leads to a config with one file read. A line that another tool wrote lacks them; then
 * the manifest is asked.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { readDocument } from "../store/blob.ts";
import { readIndex, REF_NAME } from "../store/layout.ts";
import type { Descriptor, Digest, ImageConfig, Index, Manifest } from "../spec/image.ts";

/** The image's id: the digest of its config. */
export const IMAGE_ID = "dev.dhow.image.id";
/** Bytes of all its layers, unpacked. */
export const IMAGE_SIZE = "dev.dhow.image.size";
/** Where a registry has it, in full: `docker.io/library/busybox@sha256:...`, of the manifest or index asked for. */
export const REPO_DIGEST = "dev.dhow.image.repo-digest";
/** When the name was given, RFC 3339. */
export const TAGGED_AT = "dev.dhow.image.tagged-at";

/** One image with all its names. */
export interface StoredImage {
  id: Digest;
  /** Without annotations; a multi-platform index if another tool put that here. */
  manifest: Descriptor;
  /** Canonical: `docker.io/library/busybox:latest`, in the order they were given. */
  references: string[];
  /** Canonical, each once: `docker.io/library/busybox@sha256:...`, as registries know it. */
  repoDigests: string[];
  /** Undefined if another tool put the image here. */
  sizeBytes?: number;
  /** RFC 3339; of the newest name. */
  taggedAt?: string;
}

/** All images, in the order they came. Lines that cannot be read are left out. */
export function listStoredImages(paths: StorePaths): StoredImage[] {
  return groupImages(paths, readIndex(paths));
}

/** As {@linkcode listStoredImages}, of an index that is in hand. */
export function groupImages(paths: StorePaths, manifests: Descriptor[]): StoredImage[] {
  const images = new Map<Digest, StoredImage>();
  for (const descriptor of manifests) {
    const id = imageIdOf(paths, descriptor);
    if (id === undefined) continue;
    const { annotations = {}, ...manifest } = descriptor;
    let image = images.get(id);
    if (image === undefined) {
      images.set(id, image = { id, manifest, references: [], repoDigests: [] });
    }
    const reference = annotations[REF_NAME];
    if (reference !== undefined) image.references.push(reference);
    const repoDigest = annotations[REPO_DIGEST];
    if (repoDigest !== undefined && !image.repoDigests.includes(repoDigest)) {
      image.repoDigests.push(repoDigest);
    }
    const size = annotations[IMAGE_SIZE];
    if (size !== undefined) image.sizeBytes = Number(size);
    const taggedAt = annotations[TAGGED_AT];
    if (taggedAt !== undefined && taggedAt > (image.taggedAt ?? "")) image.taggedAt = taggedAt;
  }
  return [...images.values()];
}

/** The image id of a line of the index; undefined if its manifest cannot be read or is for other machines only. */
export function imageIdOf(paths: StorePaths, descriptor: Descriptor): Digest | undefined {
  const id = descriptor.annotations?.[IMAGE_ID];
  if (id !== undefined) return id;
  try {
    return readManifest(paths, descriptor).config.digest;
  } catch {
    return undefined;
  }
}

/** The manifest that a line of the index leads to; of a multi-platform index, this machine's. */
export function readManifest(paths: StorePaths, descriptor: Descriptor): Manifest {
  const document = readDocument<Manifest | Index>(paths, descriptor);
  if (!("manifests" in document)) return document;
  const architecture = hostArchitecture();
  const found =
    document.manifests.find(({ platform }) =>
      platform?.os === "linux" && platform.architecture === architecture
    ) ?? document.manifests[0];
  return readDocument<Manifest>(paths, found!);
}

/** An image's config. */
export function readConfig(paths: StorePaths, id: Digest): ImageConfig {
  return readDocument<ImageConfig>(paths, { digest: id });
}

/** This machine in the words of the OCI: `amd64`, `arm64`. */
export function hostArchitecture(): string {
  return Deno.build.arch === "x86_64" ? "amd64" : "arm64";
}
