/**
 * A manifest as a registry has it, looked at without pulling.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { canonicalReference, parseReference, type Reference } from "../lib/reference.ts";
import type { Descriptor, Index, Manifest, Platform } from "../spec/image.ts";
import { readBounded } from "./body.ts";
import { openRepository, type RegistryOptions } from "./client.ts";
import { isIndexType } from "./media_types.ts";
import type { FetchedManifest, Repository } from "./repository.ts";

/** What `manifest inspect --verbose` shows of one manifest; names and order are docker's. */
export interface InspectedManifest {
  Ref: string;
  Descriptor: Descriptor;
  /** The manifest's bytes in base64. */
  Raw: string;
  SchemaV2Manifest?: unknown;
  OCIManifest?: unknown;
}

/** A manifest, or all of an index. */
export type Inspection =
  | { kind: "manifest"; json: unknown; details: InspectedManifest }
  | { kind: "index"; json: unknown; details: InspectedManifest[] };

const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_MAX = 8 << 20;
const MANIFESTS_MAX = 1000;

/**
 * Fetches what stands behind `text`, a reference.
 *
 * @param options `verbose`: fills in `details`, which takes further requests.
 * @throws {DhowError} `not_found` in docker's words.
 */
export async function inspectManifest(
  text: string,
  options: RegistryOptions & { verbose?: boolean; signal?: AbortSignal } = {},
): Promise<Inspection> {
  const { verbose = false, signal, ...rest } = options;
  const reference = parseReference(text);
  if (reference.digest === undefined) reference.tag ??= "latest";
  using repository = openRepository(reference, rest);
  const call = signal ? { signal } : {};
  let fetched: FetchedManifest;
  try {
    fetched = await repository.manifest(reference.digest ?? reference.tag!, call);
  } catch (cause) {
    if (!(cause instanceof DhowError) || cause.code !== "not_found") throw cause;
    const message = `no such manifest: ${canonicalReference(reference)}`;
    throw new DhowError("not_found", message, { cause });
  }
  const json = parse(fetched, reference);
  if (isIndexType(json.mediaType ?? fetched.mediaType)) {
    const manifests = (json as Index).manifests;
    if (!Array.isArray(manifests) || manifests.length > MANIFESTS_MAX) {
      throw invalid(reference, "its list of manifests makes no sense");
    }
    const details: InspectedManifest[] = [];
    for (const descriptor of verbose ? manifests : []) {
      const { digest } = descriptor;
      const member = await repository.manifest(digest, call);
      details.push(describe({ ...reference, digest }, member, descriptor.platform));
    }
    return { kind: "index", json: toList(json as Index), details };
  }
  const platform = verbose
    ? await readPlatform(repository, json as Manifest, reference)
    : undefined;
  return { kind: "manifest", json, details: describe(reference, fetched, platform) };
}

function parse(fetched: FetchedManifest, reference: Reference): Manifest | Index {
  try {
    const value = JSON.parse(new TextDecoder().decode(fetched.bytes));
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Said below.
  }
  throw invalid(reference, "it is no JSON object");
}

/** An index as docker prints it: what it knows of each manifest, and nothing else. */
function toList(index: Index): unknown {
  const manifests = index.manifests.map(({ mediaType, size, digest, platform }) => ({
    mediaType,
    size,
    digest,
    ...platform && { platform },
  }));
  const isOci = manifests[0]?.mediaType === OCI_MANIFEST;
  return { schemaVersion: 2, mediaType: isOci ? OCI_INDEX : DOCKER_LIST, manifests };
}

function describe(
  reference: Reference,
  fetched: FetchedManifest,
  platform: Platform | undefined,
): InspectedManifest {
  const manifest = parse(fetched, reference) as Manifest;
  const mediaType = manifest.mediaType ?? fetched.mediaType;
  const { digest, bytes } = fetched;
  return {
    Ref: canonicalReference(reference),
    Descriptor: { mediaType, digest, size: bytes.length, ...platform && { platform } },
    Raw: bytes.toBase64(),
    ...mediaType === OCI_MANIFEST
      ? { OCIManifest: inOrder(manifest, ["mediaType", "digest", "size"]) }
      : { SchemaV2Manifest: inOrder(manifest, ["mediaType", "size", "digest"]) },
  };
}

/** Docker prints the fields of its own types, in their order: `first` begins a descriptor. */
function inOrder(manifest: Manifest, first: readonly (keyof Descriptor)[]): unknown {
  const pick = <T extends object>(from: T, keys: readonly (keyof T)[]) =>
    Object.fromEntries(
      keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]),
    );
  const descriptor = (from: Descriptor) => pick(from, [...first, "urls", "annotations"]);
  const { config, layers } = manifest;
  return {
    ...pick(manifest, ["schemaVersion", "mediaType"]),
    ...config && { config: descriptor(config) },
    ...Array.isArray(layers) && { layers: layers.map(descriptor) },
    ...pick(manifest, ["annotations"]),
  };
}

/** What the image runs on, by its config. */
async function readPlatform(
  repository: Repository,
  manifest: Manifest,
  reference: Reference,
): Promise<Platform | undefined> {
  const digest = manifest.config?.digest;
  if (typeof digest !== "string") return undefined;
  const { body } = await repository.blob(digest);
  const bytes = await readBounded(body, CONFIG_MAX);
  try {
    const { architecture, os, variant } = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof architecture !== "string" || typeof os !== "string") return undefined;
    return { architecture, os, ...typeof variant === "string" && variant !== "" && { variant } };
  } catch {
    throw invalid(reference, "its config is no JSON");
  }
}

function invalid(reference: Reference, why: string): DhowError {
  return new DhowError(
    "unavailable",
    `Cannot read the manifest of ${canonicalReference(reference)}: ${why}`,
  );
}
