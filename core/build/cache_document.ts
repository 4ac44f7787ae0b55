/**
 * The build cache as it travels: what `--cache-to` writes and `--cache-from` reads.
 *
 * An OCI manifest whose layers are those of the steps, compressed, and whose config is this document: which step has made
 * which layer. With `type=inline` the document stands in the image's own config, under {@linkcode INLINE_KEY}.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { isDigest } from "../lib/digest.ts";
import type { Descriptor, Digest } from "../spec/image.ts";

/** What the manifest is. */
export const CACHE_ARTIFACT = "application/vnd.dhow.buildcache.v1";
/** Media type of the document. */
export const CACHE_CONFIG = "application/vnd.dhow.buildcache.config.v1+json";
/** Where an image's config has the document. */
export const INLINE_KEY = "dev.dhow.buildcache.v1";

/** A step that was done elsewhere. */
export interface PortableStep {
  /** As the local cache calls it. */
  key: string;
  /** RFC 3339. */
  createdAt: string;
  /** For people. */
  name: string;
  type: "regular" | "source.local";
  /** Undefined if it has changed no file. */
  layer?: {
    diffId: Digest;
    /** The blob, as it travels. */
    descriptor: Descriptor;
  };
}

/** The document. */
export interface CacheDocument {
  version: 1;
  steps: PortableStep[];
}

/** The largest number of steps that is looked at. */
const STEPS_MAX = 100_000;

/**
 * Takes a document from a stranger apart.
 *
 * @throws {DhowError} `invalid_argument` if it is none.
 */
export function readCacheDocument(document: unknown): CacheDocument {
  const { version, steps } = (document ?? {}) as Partial<CacheDocument>;
  if (version !== 1 || !Array.isArray(steps) || steps.length > STEPS_MAX) {
    throw new DhowError("invalid_argument", "it is no build cache of dhow's, or of a newer one");
  }
  return { version, steps: steps.map(readStep) };
}

function readStep(step: unknown): PortableStep {
  const { key, createdAt, name, type, layer } = (step ?? {}) as Partial<PortableStep>;
  const isWhole = typeof key === "string" && /^[0-9a-f]{64}$/.test(key) &&
    typeof createdAt === "string" && !Number.isNaN(Date.parse(createdAt)) &&
    typeof name === "string" && name.length <= 1 << 16 &&
    (type === "regular" || type === "source.local") &&
    (layer === undefined || isLayer(layer ?? {}));
  if (!isWhole) throw new DhowError("invalid_argument", "it has steps that are none");
  const { diffId, descriptor } = layer ?? {};
  if (diffId === undefined || descriptor === undefined) return { key, createdAt, name, type };
  const { mediaType, digest, size } = descriptor;
  return { key, createdAt, name, type, layer: { diffId, descriptor: { mediaType, digest, size } } };
}

function isLayer({ diffId, descriptor }: Partial<NonNullable<PortableStep["layer"]>>): boolean {
  return typeof diffId === "string" && isDigest(diffId) && typeof descriptor === "object" &&
    descriptor !== null && typeof descriptor.digest === "string" && isDigest(descriptor.digest) &&
    typeof descriptor.mediaType === "string" &&
    Number.isSafeInteger(descriptor.size) && descriptor.size >= 0;
}
