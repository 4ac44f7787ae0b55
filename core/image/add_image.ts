/**
 * Lines of `index.json`: an image gets, loses or changes its names.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import { ensureLayout, readIndex, REF_NAME, syncDirectory, updateIndex } from "../store/layout.ts";
import { IMAGE_ID, IMAGE_SIZE, imageIdOf, REPO_DIGEST, TAGGED_AT } from "./stored_image.ts";

/** An image whose blobs are all in the store. */
export interface NewImage {
  id: Digest;
  manifest: Descriptor;
  /** Canonical; may be none. */
  references: string[];
  /** Where a registry has it under these names: `docker.io/library/busybox@sha256:...`. */
  repoDigest?: string | undefined;
  sizeBytes?: number | undefined;
}

/**
 * Makes an image known under its references, taking them from whatever had them. Idempotent, atomic.
 *
 * An image that loses its last name stays, nameless.
 */
export function addImage(paths: StorePaths, image: NewImage): void {
  if (isKnown(paths, image)) return;
  ensureLayout(paths);
  // The blobs' names are on the disk before the index speaks of them.
  syncDirectory(paths.blobs);
  updateIndex(paths, (manifests) => withImage(paths, manifests, image));
}

/** Whether the index says all of it already: writing to a disk takes longer than building from the cache. */
function isKnown(paths: StorePaths, image: NewImage): boolean {
  const lines = readIndex(paths).filter((line) =>
    line.digest === image.manifest.digest && imageIdOf(paths, line) === image.id
  );
  const says = (line: Descriptor, key: string, value: string | undefined) =>
    value === undefined || line.annotations?.[key] === value;
  const size = image.sizeBytes === undefined ? undefined : String(image.sizeBytes);
  const isSaid = (reference: string | undefined) =>
    lines.some((line) =>
      says(line, REF_NAME, reference) && says(line, REPO_DIGEST, image.repoDigest) &&
      says(line, IMAGE_SIZE, size)
    );
  return image.references.length === 0 ? isSaid(undefined) : image.references.every(isSaid);
}

/** The index with the image added; the pure half of {@linkcode addImage}. */
export function withImage(
  paths: StorePaths,
  manifests: Descriptor[],
  image: NewImage,
): Descriptor[] {
  let changed = manifests;
  for (const reference of image.references) changed = withoutReference(paths, changed, reference);
  const same = changed.filter((line) => imageIdOf(paths, line) === image.id);
  const others = changed.filter((line) => !same.includes(line));
  const added = image.references.map((reference) => lineOf(image, reference));
  const { repoDigest } = image;
  if (added.length === 0 && repoDigest !== undefined && !same.some(hasDigest(repoDigest))) {
    added.push(lineOf(image));
  }
  const kept = same.filter((line) => isNamed(line) || hasOwnDigest(line, [...same, ...added]));
  const lines = [...kept, ...added];
  return [...others, ...(lines.length > 0 ? lines : same.length > 0 ? same : [lineOf(image)])];
}

function isNamed(line: Descriptor): boolean {
  return line.annotations?.[REF_NAME] !== undefined;
}

function hasDigest(repoDigest: string): (line: Descriptor) => boolean {
  return (line) => line.annotations?.[REPO_DIGEST] === repoDigest;
}

/** Whether a nameless line says of a registry's digest what no other says. */
function hasOwnDigest(line: Descriptor, all: Descriptor[]): boolean {
  const digest = line.annotations?.[REPO_DIGEST];
  if (digest === undefined) return false;
  const later = all.slice(all.indexOf(line) + 1);
  return !later.some(hasDigest(digest)) &&
    !all.some((other) => isNamed(other) && hasDigest(digest)(other));
}

function lineOf(image: NewImage, reference?: string): Descriptor {
  const { annotations: _, ...manifest } = image.manifest;
  return {
    ...manifest,
    annotations: {
      ...(reference !== undefined && { [REF_NAME]: reference }),
      [IMAGE_ID]: image.id,
      ...(image.repoDigest !== undefined && { [REPO_DIGEST]: image.repoDigest }),
      ...(image.sizeBytes !== undefined && { [IMAGE_SIZE]: String(image.sizeBytes) }),
      [TAGGED_AT]: new Date().toISOString(),
    },
  };
}

/** The index with a name taken away; the image it was of stays. */
export function withoutReference(
  paths: StorePaths,
  manifests: Descriptor[],
  reference: string,
): Descriptor[] {
  const gone = manifests.find((line) => line.annotations?.[REF_NAME] === reference);
  if (gone === undefined) return manifests;
  const id = imageIdOf(paths, gone);
  const rest = manifests.filter((line) => line !== gone);
  if (id === undefined || rest.some((line) => imageIdOf(paths, line) === id)) return rest;
  const { [REF_NAME]: _, ...annotations } = gone.annotations!;
  return manifests.map((line) => line === gone ? { ...line, annotations } : line);
}
