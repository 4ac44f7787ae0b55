/**
 * `dhow load`: images from a docker-archive (`manifest.json`) or an OCI layout in a tar (`index.json`).
 *
 * Of an archive that is both, as docker writes since 25, `manifest.json` counts: it has the names.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { detectCompression } from "../layer/compression.ts";
import { cleanPath } from "../layer/root_directory.ts";
import { isDigest } from "../lib/digest.ts";
import { formatPlatform, hostPlatform, parsePlatform, platformFit } from "../lib/platform.ts";
import { canonicalReference, familiarReference, parseReference } from "../lib/reference.ts";
import type { Descriptor, Digest, ImageConfig, Index, Manifest, Platform } from "../spec/image.ts";
import { blobPath, writeDocument } from "../store/blob.ts";
import { collectBlobs } from "../store/gc.ts";
import { leaseStore, REF_NAME } from "../store/layout.ts";
import { assertImageConfig } from "./config_shape.ts";
import { addImage, type NewImage } from "./add_image.ts";
import { checkedDescriptors, type ImageArchive, readArchive } from "./archive.ts";
import { type LayerWorker, unpackedSize } from "./ensure_unpacked.ts";
import { MEDIA_TYPES, storeManifest } from "./import_image.ts";
import { readConfig } from "./stored_image.ts";
import { unpackLayers } from "./unpack_layers.ts";

/** One image that was loaded. */
export interface LoadedImage {
  id: Digest;
  /** As docker shows them: `busybox:latest`. */
  references: string[];
}

/** How to load. */
export interface LoadOptions {
  signal?: AbortSignal;
  onProgress?: (line: string) => void;
  /** `linux/arm64`: load only what is for it. @default this machine's of an index, and every other image */
  platform?: string;
}

/** An image of the archive, its blobs stored. */
interface Candidate extends NewImage {
  diffIds: Digest[];
  layers: Descriptor[];
}

/** One element of `manifest.json`. */
interface ArchiveManifest {
  Config: string;
  RepoTags: string[] | null;
  Layers: string[];
}

/**
 * Stores, unpacks and names the images of an archive, in its order.
 *
 * @throws {DhowError} `invalid_archive`, `invalid_layer`, `digest_mismatch`, `no_space`. Images before the one that
 *   failed stay loaded.
 */
export async function loadImages(
  paths: StorePaths,
  tar: ReadableStream<Uint8Array>,
  options: LoadOptions,
  worker: LayerWorker,
): Promise<LoadedImage[]> {
  try {
    return await loadAll(paths, tar, options, worker);
  } finally {
    // What the archive held beside its images, or of one that failed.
    collectBlobs(paths);
  }
}

async function loadAll(
  paths: StorePaths,
  tar: ReadableStream<Uint8Array>,
  options: LoadOptions,
  worker: LayerWorker,
): Promise<LoadedImage[]> {
  using _lease = leaseStore(paths);
  const archive = await readArchive(paths, tar, options.signal);
  const wanted = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const candidates = archive.document("manifest.json") !== undefined
    ? withOciManifests(await dockerImages(paths, archive), archive)
    : archive.document("index.json") !== undefined
    ? ociImages(archive, wanted ?? hostPlatform())
    : undefined;
  if (candidates === undefined) {
    throw new DhowError(
      "invalid_archive",
      "invalid archive: does not contain a manifest.json or an index.json",
    );
  }
  const loaded: LoadedImage[] = [];
  for (const image of candidates.filter((image) => isFor(paths, image, wanted))) {
    await unpackLayers(paths, image, worker);
    options.signal?.throwIfAborted();
    addImage(paths, { ...image, sizeBytes: unpackedSize(paths, image.diffIds, worker.mapping) });
    const references = image.references.map((text) => familiarReference(parseReference(text)));
    loaded.push({ id: image.id, references });
    for (const reference of references) options.onProgress?.(`Loaded image: ${reference}`);
    if (references.length === 0) options.onProgress?.(`Loaded image ID: ${image.id}`);
  }
  if (loaded.length === 0 && wanted !== undefined) {
    throw new DhowError(
      "not_found",
      `Cannot load archive: nothing in it is for platform ${formatPlatform(wanted)}`,
    );
  }
  return loaded;
}

function isFor(paths: StorePaths, { id }: Candidate, wanted: Platform | undefined): boolean {
  if (wanted === undefined) return true;
  const { os, architecture, variant } = readConfig(paths, id);
  return platformFit(wanted, { os, architecture, ...variant && { variant } }) > 0;
}

/** Images of an archive that is an OCI layout too keep the manifests, and with them the digests, that it has. */
function withOciManifests(images: Candidate[], archive: ImageArchive): Candidate[] {
  if (archive.document("index.json") === undefined) return images;
  let known: Candidate[];
  try {
    known = ociImages(archive, hostPlatform());
  } catch {
    return images;
  }
  const layersOf = ({ layers }: Candidate) => layers.map(({ digest }) => digest).join();
  return images.map((image) => {
    const same = known.find((one) => one.id === image.id && layersOf(one) === layersOf(image));
    return same === undefined ? image : { ...image, manifest: same.manifest };
  });
}

async function dockerImages(paths: StorePaths, archive: ImageArchive): Promise<Candidate[]> {
  const manifests = archive.json<ArchiveManifest[]>("manifest.json");
  if (!Array.isArray(manifests)) {
    throw new DhowError("invalid_archive", `Cannot load archive: "manifest.json" is no list`);
  }
  const images: Candidate[] = [];
  for (const manifest of manifests) images.push(await dockerImage(paths, archive, manifest));
  return images;
}

async function dockerImage(
  paths: StorePaths,
  archive: ImageArchive,
  manifest: ArchiveManifest,
): Promise<Candidate> {
  const isSound = typeof manifest?.Config === "string" && areTexts(manifest.Layers) &&
    areTexts(manifest.RepoTags ?? []);
  if (!isSound) {
    throw new DhowError("invalid_archive", `Cannot load archive: "manifest.json" is incomplete`);
  }
  const configPath = cleanPath(manifest.Config);
  const diffIds = checkedDiffIds(archive.json<ImageConfig>(configPath), configPath);
  const config = await writeDocument(paths, MEDIA_TYPES.config, archive.document(configPath)!);
  const layers = manifest.Layers.map((path) => {
    const blob = archive.blob(cleanPath(path));
    return { mediaType: layerMediaType(paths, blob.digest), ...blob };
  });
  const references = (manifest.RepoTags ?? []).map(canonicalOf);
  return { ...await storeManifest(paths, config, layers), references, diffIds, layers };
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function canonicalOf(text: string): string {
  return canonicalReference(parseReference(text));
}

function checkedDiffIds(config: ImageConfig, path: string): Digest[] {
  assertImageConfig(config, "Cannot load archive");
  const diffIds: unknown = config.rootfs?.diff_ids;
  if (Array.isArray(diffIds) && diffIds.every((id) => typeof id === "string" && isDigest(id))) {
    return diffIds;
  }
  throw new DhowError("invalid_archive", `Cannot load archive: "${path}" is no image config`);
}

function layerMediaType(paths: StorePaths, digest: Digest): string {
  using file = Deno.openSync(blobPath(paths, digest));
  const head = new Uint8Array(8);
  file.readSync(head);
  const compression = detectCompression(head);
  return MEDIA_TYPES.layer + (compression === undefined ? "" : `+${compression}`);
}

function ociImages(archive: ImageArchive, platform: Platform): Candidate[] {
  const images = new Map<Digest, Candidate>();
  const index = archive.json<Partial<Index> | null>("index.json");
  for (const line of checkedDescriptors(index?.manifests, "index.json")) {
    if (isAttestation(line)) continue;
    const { image, manifest } = ociImage(archive, line, platform);
    const there = images.get(image.id);
    const name = line.annotations?.["io.containerd.image.name"] ?? line.annotations?.[REF_NAME];
    const references = name === undefined ? [] : [canonicalOf(name)];
    if (there !== undefined) there.references.push(...references);
    else images.set(image.id, { ...image, manifest, references });
  }
  return [...images.values()];
}

function ociImage(
  archive: ImageArchive,
  line: Descriptor,
  platform: Platform,
): { image: Omit<Candidate, "manifest" | "references">; manifest: Descriptor } {
  const manifestLine = choosePlatform(archive, line, platform);
  const path = `blobs/${manifestLine.digest.replace(":", "/")}`;
  archive.verifiedBlob(manifestLine);
  const manifest = archive.json<Manifest>(path);
  if (!manifest?.config || !Array.isArray(manifest.layers)) {
    throw new DhowError("invalid_archive", `Cannot load archive: "${path}" is no image manifest`);
  }
  const descriptors = checkedDescriptors([manifest.config, ...manifest.layers], path);
  const [config, ...layers] = descriptors.map((one) => archive.verifiedBlob(one)) as [
    Descriptor,
    ...Descriptor[],
  ];
  const configPath = `blobs/${config.digest.replace(":", "/")}`;
  const diffIds = checkedDiffIds(archive.json<ImageConfig>(configPath), configPath);
  const { mediaType, digest, size } = manifestLine;
  return {
    image: { id: config.digest, diffIds, layers },
    manifest: { mediaType: mediaType ?? MEDIA_TYPES.manifest, digest, size },
  };
}

/** Of a multi-platform index the manifest that fits best, else the first that is an image. */
function choosePlatform(archive: ImageArchive, line: Descriptor, wanted: Platform): Descriptor {
  let current = line;
  for (let depth = 0; depth < 4; depth++) {
    const path = `blobs/${current.digest.replace(":", "/")}`;
    const index = archive.json<Partial<Index> | null>(path);
    if (!Array.isArray(index?.manifests)) return current;
    archive.verifiedBlob(current);
    // Those of other platforms need not be in the archive.
    const images = checkedDescriptors(index.manifests, path).filter((manifest) =>
      !isAttestation(manifest) && archive.has(`blobs/${manifest.digest.replace(":", "/")}`)
    );
    const fit = ({ platform }: Descriptor) => platform ? platformFit(wanted, platform) : 0;
    const next = images.toSorted((a, b) => fit(b) - fit(a))[0];
    if (next === undefined) break;
    current = next;
  }
  throw new DhowError("invalid_archive", "Cannot load archive: an index in it holds no image");
}

/** buildx puts provenance beside images, in the shape of images for no platform. */
function isAttestation(line: Descriptor): boolean {
  return line.annotations?.["vnd.docker.reference.type"] === "attestation-manifest" ||
    line.platform?.architecture === "unknown";
}
