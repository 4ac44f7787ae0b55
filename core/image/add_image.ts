/**
 * Lines of `index.json`: an image gets, loses or changes its names.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import { ensureLayout, REF_NAME, syncDirectory, updateIndex } from "../store/layout.ts";
import { IMAGE_ID, IMAGE_SIZE, imageIdOf, TAGGED_AT } from "./stored_image.ts";

/** An image whose blobs are all in the store. */
export interface NewImage {
  id: Digest;
  manifest: Descriptor;
  /** Canonical; may be none. */
  references: string[];
  sizeBytes?: number | undefined;
}

/**
 * Makes an image known under its references, taking them from whatever had them. Idempotent, atomic.
 *
 * An image that loses its last name stays, nameless.
 */
export function addImage(paths: StorePaths, image: NewImage): void {
  ensureLayout(paths);
  // The blobs' names are on the disk before the index speaks of them.
  syncDirectory(paths.blobs);
  updateIndex(paths, (manifests) => withImage(paths, manifests, image));
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
  const named = same.filter((line) => line.annotations?.[REF_NAME] !== undefined);
  const added = image.references.map((reference) => lineOf(image, reference));
  const lines = [...named, ...added];
  return [...others, ...(lines.length > 0 ? lines : same.length > 0 ? same : [lineOf(image)])];
}

function lineOf(image: NewImage, reference?: string): Descriptor {
  const { annotations: _, ...manifest } = image.manifest;
  return {
    ...manifest,
    annotations: {
      ...(reference !== undefined && { [REF_NAME]: reference }),
      [IMAGE_ID]: image.id,
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
