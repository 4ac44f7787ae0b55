/**
 * `dhow tag`: another name for an image.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { canonicalReference, parseReference } from "../lib/reference.ts";
import { addImage } from "./add_image.ts";
import { findImage } from "./resolve.ts";

/**
 * Gives the image `source` the name `target`, taking it from whatever had it.
 *
 * @throws {DhowError} `not_found`; `invalid_argument` if `target` is no reference, or one by digest.
 */
export function tagImage(paths: StorePaths, source: string, target: string): void {
  const reference = parseTarget(target);
  const { id, manifest, sizeBytes } = findImage(paths, source);
  addImage(paths, { id, manifest, sizeBytes, references: [reference] });
}

function parseTarget(target: string): string {
  let reference;
  try {
    reference = parseReference(target);
  } catch (cause) {
    throw new DhowError(
      "invalid_argument",
      `Error parsing reference: "${target}" is not a valid repository/tag: ${
        (cause as Error).message
      }`,
      { cause },
    );
  }
  if (reference.digest !== undefined) {
    throw new DhowError("invalid_argument", "refusing to create a tag with a digest reference");
  }
  if (reference.domain === "docker.io" && reference.repository === "library/sha256") {
    throw new DhowError(
      "invalid_argument",
      "refusing to create an ambiguous tag using digest algorithm as name",
    );
  }
  return canonicalReference(reference);
}
