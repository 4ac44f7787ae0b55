/**
 * From what a user calls an image to the image.
 *
 * @module
 */
import { DhowError, noSuchImage } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import {
  canonicalReference,
  familiarReference,
  parseReference,
  type Reference,
} from "../lib/reference.ts";
import type { Descriptor, Digest, ImageRunConfig } from "../spec/image.ts";
import { readIndex, REF_NAME } from "../store/layout.ts";
import {
  groupImages,
  imageIdOf,
  readConfig,
  REPO_DIGEST,
  type StoredImage,
} from "./stored_image.ts";

/** What a container needs of its image. */
export interface ResolvedImage {
  /** `sha256:...` of the config. */
  id: Digest;
  /** As the user wrote it. */
  reference: string;
  config: ImageRunConfig;
  /** Lowest first. */
  diffIds: Digest[];
  architecture: string;
  os: string;
}

/**
 * Finds an image by reference, id, `sha256:` id or unique prefix of an id, in docker's order.
 *
 * Reads `index.json` and the config, nothing else: it is in the path of every start.
 *
 * @throws {DhowError} `not_found`: `No such image: busybox:latest`; `invalid_argument` if it is no reference at all.
 */
export function resolveImage(paths: StorePaths, name: string): ResolvedImage {
  const id = resolveImageId(paths, name);
  const config = readConfig(paths, id);
  return {
    id,
    reference: name,
    config: config.config ?? {},
    diffIds: config.rootfs.diff_ids,
    architecture: config.architecture,
    os: config.os,
  };
}

/** As {@linkcode resolveImage}, the id alone. */
export function resolveImageId(paths: StorePaths, name: string): Digest {
  const manifests = readIndex(paths);
  const found = findByName(manifests, name);
  if (found !== undefined) {
    const id = imageIdOf(paths, found);
    if (id !== undefined) return id;
  }
  return findById(paths, manifests, name) ?? notFound(name);
}

/** As {@linkcode resolveImage}, with all the image's names. */
export function findImage(paths: StorePaths, name: string): StoredImage {
  const id = resolveImageId(paths, name);
  const image = groupImages(paths, readIndex(paths)).find((image) => image.id === id);
  return image ?? notFound(name);
}

function findByName(manifests: Descriptor[], name: string): Descriptor | undefined {
  const reference = tryParse(name);
  if (reference === undefined) return undefined;
  const { digest, ...tagged } = reference;
  if (digest !== undefined) {
    const name = `${reference.domain}/${reference.repository}`;
    return manifests.find(({ annotations }) =>
      annotations?.[REPO_DIGEST] === `${name}@${digest}`
    ) ??
      manifests.find((manifest) =>
        manifest.digest === digest && manifest.annotations?.[REF_NAME]?.startsWith(`${name}:`)
      );
  }
  const canonical = canonicalReference(tagged);
  return manifests.find((manifest) => manifest.annotations?.[REF_NAME] === canonical);
}

function tryParse(name: string): Reference | undefined {
  try {
    return parseReference(name);
  } catch (error) {
    if (error instanceof DhowError) return undefined;
    throw error;
  }
}

function findById(paths: StorePaths, manifests: Descriptor[], name: string): Digest | undefined {
  const prefix = name.startsWith("sha256:") ? name : `sha256:${name}`;
  if (!/^sha256:[0-9a-f]{1,64}$/.test(prefix)) return undefined;
  const ids = new Set<Digest>();
  for (const manifest of manifests) {
    const id = imageIdOf(paths, manifest);
    if (id?.startsWith(prefix)) ids.add(id);
  }
  if (ids.size > 1) {
    // Docker's words for a prefix that several images share.
    throw new DhowError("not_found", `No such image: ${name}: ambiguous prefix`);
  }
  return ids.values().next().value;
}

function notFound(name: string): never {
  if (name.startsWith("sha256:") || /^[a-f0-9]{64}$/.test(name)) throw noSuchImage(name);
  const { domain, repository, tag, digest } = parseReference(name);
  const whole = {
    domain,
    repository,
    ...(digest === undefined ? { tag: tag ?? "latest" } : { digest }),
  };
  throw noSuchImage(familiarReference(whole));
}
