/**
 * From what a registry answers to the one manifest that is wanted: indexes are searched, what cannot be run is refused.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { isDigest } from "../lib/digest.ts";
import { formatPlatform, platformFit } from "../lib/platform.ts";
import type { CallOptions, FetchedManifest, Repository } from "../registry/repository.ts";
import type { Descriptor, Index, Manifest, Platform } from "../spec/image.ts";

const INDEXES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
const MANIFESTS = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
const SCHEMA_1 = [
  "application/vnd.docker.distribution.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
];
const CONFIGS = [
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
  // Old registries and tools say no more.
  "application/octet-stream",
];
const LAYER = new RegExp(
  "^application/vnd\\.(oci\\.image\\.layer\\.v1\\.tar(\\+gzip|\\+zstd)?|" +
    "docker\\.image\\.rootfs\\.diff\\.tar(\\.gzip|\\.zstd)?)$",
);
const FOREIGN_LAYER = /nondistributable|rootfs\.foreign/;

/** Indexes may hold indexes; so deep is deep enough. */
const DEPTH_MAX = 4;
/** Docker has the same bound; an overlay can have no more. */
const LAYERS_MAX = 1000;

/** A manifest that can be pulled. */
export interface ChosenManifest {
  descriptor: Descriptor;
  bytes: Uint8Array<ArrayBuffer>;
  manifest: Manifest;
}

/**
 * Follows `fetched` to the manifest for `platform`.
 *
 * @param fetched What the tag or digest led to.
 * @throws {DhowError} `not_found` if there is none for the platform; `unsupported` for what is no image that dhow can
 *   run; `invalid_archive` for what is malformed.
 */
export async function chooseManifest(
  repository: Repository,
  fetched: FetchedManifest,
  options: CallOptions & { platform: Platform; name: string },
): Promise<ChosenManifest> {
  let current = fetched;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const document = parseDocument(current, options.name);
    if (!isIndex(current.mediaType, document)) {
      const { mediaType, digest, bytes } = current;
      const type = MANIFESTS.includes(mediaType) ? mediaType : document.mediaType ?? mediaType;
      const descriptor = { mediaType: type, digest, size: bytes.length };
      return { descriptor, bytes, manifest: checkedManifest(document, type, options.name) };
    }
    const chosen = choosePlatform(document.manifests, options);
    current = await repository.manifest(chosen.digest, options);
    if (current.bytes.length !== chosen.size) {
      throw new DhowError(
        "digest_mismatch",
        `Cannot pull ${options.name}: manifest ${chosen.digest} has ${current.bytes.length} bytes, its index says ${chosen.size}`,
      );
    }
  }
  throw new DhowError("invalid_archive", `Cannot pull ${options.name}: its indexes do not end`);
}

type Document = Partial<Omit<Manifest, "schemaVersion"> & Omit<Index, "schemaVersion">> & {
  schemaVersion?: number;
};

function parseDocument({ bytes }: FetchedManifest, name: string): Document {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DhowError("invalid_archive", `Cannot pull ${name}: its manifest is no JSON`, {
      cause,
    });
  }
  if (typeof document === "object" && document !== null && !Array.isArray(document)) {
    return document;
  }
  throw new DhowError("invalid_archive", `Cannot pull ${name}: its manifest is no JSON object`);
}

/** A document that is both, or says one thing and is the other, is an attack. */
function isIndex(
  mediaType: string,
  document: Document,
): document is Document & { manifests: Descriptor[] } {
  const says = document.mediaType ?? mediaType;
  if (INDEXES.includes(says)) {
    if (!Array.isArray(document.manifests) || "layers" in document || "config" in document) {
      throw new DhowError("invalid_archive", "Cannot pull: an image index has no manifests");
    }
    return true;
  }
  return false;
}

function choosePlatform(
  manifests: readonly Descriptor[],
  options: { platform: Platform; name: string },
): Descriptor {
  let best: { fit: number; manifest: Descriptor } | undefined;
  for (const manifest of manifests) {
    if (!isDescriptor(manifest) || !isPlatform(manifest.platform)) continue;
    const fit = platformFit(options.platform, manifest.platform);
    if (fit > (best?.fit ?? 0)) best = { fit, manifest };
  }
  // An index of one image that does not say what it is for.
  const only = manifests.length === 1 && manifests[0]?.platform === undefined;
  const chosen = best?.manifest ?? (only ? manifests[0] : undefined);
  if (chosen !== undefined && isDescriptor(chosen)) return chosen;
  throw new DhowError(
    "not_found",
    `no matching manifest for ${formatPlatform(options.platform)} in the manifest list entries`,
  );
}

function checkedManifest(document: Document, mediaType: string, name: string): Manifest {
  if (SCHEMA_1.includes(mediaType) || document.schemaVersion === 1) {
    throw new DhowError(
      "unsupported",
      `Cannot pull ${name}: its manifest is of schema 1, an old format that dhow does not read; ask its author to push it again in the OCI format`,
    );
  }
  if (!MANIFESTS.includes(mediaType)) {
    throw new DhowError(
      "unsupported",
      `Cannot pull ${name}: unsupported manifest media type ${JSON.stringify(mediaType)}`,
    );
  }
  const { config, layers } = document;
  if (!isDescriptor(config) || !Array.isArray(layers) || !layers.every(isDescriptor)) {
    throw new DhowError("invalid_archive", `Cannot pull ${name}: its manifest is incomplete`);
  }
  if (layers.length > LAYERS_MAX) {
    throw new DhowError(
      "unsupported",
      `Cannot pull ${name}: it has ${layers.length} layers; no more than ${LAYERS_MAX} can be mounted`,
    );
  }
  if (!CONFIGS.includes(config.mediaType)) {
    throw new DhowError(
      "unsupported",
      `Cannot pull ${name}: it is no image but an artifact: its config is of the media type ${
        JSON.stringify(config.mediaType)
      }`,
    );
  }
  for (const layer of layers) assertLayer(layer, name);
  return document as Manifest;
}

function assertLayer({ mediaType, digest }: Descriptor, name: string): void {
  if (FOREIGN_LAYER.test(mediaType)) {
    throw new DhowError(
      "unsupported",
      `Cannot pull ${name}: layer ${digest} is foreign (${
        JSON.stringify(mediaType)
      }): registries do not have it and dhow fetches nothing from elsewhere`,
    );
  }
  if (LAYER.test(mediaType)) return;
  throw new DhowError(
    "unsupported",
    `Cannot pull ${name}: layer ${digest} is of the unknown media type ${
      JSON.stringify(mediaType)
    }`,
  );
}

function isPlatform(value: unknown): value is Platform {
  const { os, architecture, variant = "" } = (value ?? {}) as Partial<Platform>;
  return [os, architecture, variant].every((word) => typeof word === "string");
}

function isDescriptor(value: unknown): value is Descriptor {
  if (typeof value !== "object" || value === null) return false;
  const { mediaType, digest, size } = value as Partial<Descriptor>;
  return typeof mediaType === "string" && typeof digest === "string" && isDigest(digest) &&
    digest.startsWith("sha256:") && Number.isSafeInteger(size) && size! >= 0;
}
