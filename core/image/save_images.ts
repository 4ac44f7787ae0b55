/**
 * `dhow save`: images as an archive that docker, podman and skopeo read.
 *
 * The archive is an OCI layout; with a `manifest.json`, as docker writes since 25, it is a docker-archive too. Layers go
 * in as they are in the store, compressed or not: every reader looks.
 *
 * @module
 */
import { DhowError, noSuchImage } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { statIfThere } from "../host/stat.ts";
import type { TarEntry } from "../layer/tar_entry.ts";
import { encodeTarEntry, TAR_END, tarPadding } from "../layer/tar_writer.ts";
import { blobName } from "../lib/digest.ts";
import { parsePlatform, platformFit } from "../lib/platform.ts";
import {
  canonicalReference,
  familiarName,
  familiarReference,
  parseReference,
} from "../lib/reference.ts";
import type { Descriptor, Digest, Manifest } from "../spec/image.ts";
import { blobPath } from "../store/blob.ts";
import { leaseStore, REF_NAME } from "../store/layout.ts";
import { MEDIA_TYPES } from "./import_image.ts";
import { findImage } from "./resolve.ts";
import { listStoredImages, readConfig, readManifest, type StoredImage } from "./stored_image.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** How to save. */
export interface SaveOptions {
  /** `docker-archive` is an OCI layout too. @default "docker-archive" */
  format?: "docker-archive" | "oci";
  /** `linux/arm64`. @default whatever the image is for */
  platform?: string;
}

/** An image on its way out. */
export interface SavedImage {
  image: StoredImage;
  descriptor: Descriptor;
  manifest: Manifest;
  /** Canonical. */
  references: string[];
}

/**
 * The archive of all images named, as a stream; nothing is removed from the store until it ends or is cancelled.
 *
 * @param names A name without a tag means all tags of that repository.
 * @throws {DhowError} `not_found`, `invalid_argument`, before the first byte.
 */
export function saveImages(
  paths: StorePaths,
  names: readonly string[],
  options: SaveOptions = {},
): ReadableStream<Bytes> {
  const lease = leaseStore(paths);
  try {
    const images = collectImages(paths, names, options.platform);
    return streamOf(archive(paths, images, options.format ?? "docker-archive"), lease);
  } catch (error) {
    lease[Symbol.dispose]();
    throw error;
  }
}

function streamOf(pieces: Generator<Bytes>, lease: Disposable): ReadableStream<Bytes> {
  return new ReadableStream({
    pull(controller) {
      try {
        const { done, value } = pieces.next();
        if (!done) return controller.enqueue(value.slice());
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      lease[Symbol.dispose]();
    },
    cancel() {
      pieces.return(undefined);
      lease[Symbol.dispose]();
    },
  });
}

/**
 * The images named, each once with all the names it goes by, every blob of them there.
 *
 * @throws {DhowError} `not_found`, `invalid_argument`.
 */
export function collectImages(
  paths: StorePaths,
  names: readonly string[],
  platform: string | undefined,
): SavedImage[] {
  const saved = new Map<Digest, SavedImage>();
  for (const name of names) {
    for (const { image, references } of imagesNamed(paths, name)) {
      assertPlatform(paths, image, platform);
      const before = saved.get(image.id);
      if (before === undefined) {
        const manifest = readManifest(paths, image.manifest);
        const descriptor = manifestDescriptor(paths, image);
        saved.set(image.id, { image, descriptor, manifest, references });
      } else {
        before.references = [...new Set([...before.references, ...references])];
      }
    }
  }
  for (const { image, manifest } of saved.values()) assertBlobs(paths, image, manifest);
  return [...saved.values()];
}

/** What a name means: an image under that name, by its id without a name, or a repository with all its tags. */
function imagesNamed(
  paths: StorePaths,
  name: string,
): { image: StoredImage; references: string[] }[] {
  const reference = tryParse(name);
  if (reference !== undefined && reference.tag === undefined && reference.digest === undefined) {
    const prefix = `${reference.domain}/${reference.repository}:`;
    const found = listStoredImages(paths)
      .map((image) => ({
        image,
        references: image.references.filter((text) => text.startsWith(prefix)),
      }))
      .filter(({ references }) => references.length > 0);
    if (found.length > 0) return found;
  }
  let image: StoredImage;
  try {
    image = findImage(paths, name);
  } catch (error) {
    if (error instanceof DhowError && error.code === "not_found") throw noSuchImage(name);
    throw error;
  }
  const canonical = reference && canonicalReference(reference);
  const isNamed = canonical !== undefined && image.references.includes(canonical);
  return [{ image, references: isNamed ? [canonical] : [] }];
}

function tryParse(name: string): ReturnType<typeof parseReference> | undefined {
  try {
    return parseReference(name);
  } catch {
    return undefined;
  }
}

function assertPlatform(paths: StorePaths, image: StoredImage, wanted: string | undefined): void {
  if (wanted === undefined) return;
  const { os, architecture, variant } = readConfig(paths, image.id);
  const offered = { os, architecture, ...variant && { variant } };
  if (platformFit(parsePlatform(wanted), offered) > 0) return;
  throw new DhowError("not_found", `no suitable export target found for platform ${wanted}`);
}

/** Of the manifest itself, where the index of the store leads to one for several platforms. */
function manifestDescriptor(paths: StorePaths, image: StoredImage): Descriptor {
  const { mediaType, digest, size } = image.manifest;
  const document = JSON.parse(Deno.readTextFileSync(blobPath(paths, digest)));
  if (!Array.isArray(document.manifests)) {
    return { mediaType: mediaType ?? MEDIA_TYPES.manifest, digest, size };
  }
  const one = (document.manifests as Descriptor[]).find((line) =>
    tryConfigDigest(paths, line) === image.id
  );
  return { mediaType: one!.mediaType, digest: one!.digest, size: one!.size };
}

function tryConfigDigest(paths: StorePaths, line: Descriptor): Digest | undefined {
  try {
    return readManifest(paths, line).config.digest;
  } catch {
    return undefined; // of another platform, and not here
  }
}

function assertBlobs(paths: StorePaths, image: StoredImage, manifest: Manifest): void {
  for (const { digest, size } of [manifest.config, ...manifest.layers]) {
    const found = statIfThere(blobPath(paths, digest))?.size;
    if (found === size) continue;
    throw new DhowError(
      "not_found",
      `Cannot send image ${image.id}: blob ${digest} ${
        found === undefined ? "is missing" : `has ${found} bytes instead of ${size}`
      }; load or pull the image again`,
    );
  }
}

function* archive(
  paths: StorePaths,
  images: SavedImage[],
  format: "docker-archive" | "oci",
): Generator<Bytes> {
  yield header("directory", "blobs", 0);
  yield header("directory", "blobs/sha256", 0);
  const names = new Set(
    images.flatMap(({ descriptor, manifest }) =>
      [descriptor, manifest.config, ...manifest.layers].map(({ digest }) => blobName(digest))
    ),
  );
  for (const name of [...names].sort()) yield* blob(`${paths.blobs}/${name}`, name);
  yield* document("index.json", {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: images.flatMap((image) => indexLines(image, format)),
  });
  if (format === "docker-archive") yield* document("manifest.json", images.map(dockerManifest));
  yield* document("oci-layout", { imageLayoutVersion: "1.0.0" });
  const repositories = dockerRepositories(images);
  if (format === "docker-archive" && Object.keys(repositories).length > 0) {
    yield* document("repositories", repositories);
  }
  yield TAR_END;
}

/** Docker puts the tag where the whole name belongs, and the name into containerd's annotation. */
function indexLines({ descriptor, references }: SavedImage, format: string): Descriptor[] {
  if (references.length === 0) return [descriptor];
  return references.map((reference) => ({
    ...descriptor,
    annotations: {
      "io.containerd.image.name": reference,
      [REF_NAME]: format === "oci" ? reference : parseReference(reference).tag ?? "latest",
    },
  }));
}

function dockerManifest({ manifest, references }: SavedImage): Record<string, unknown> {
  const path = ({ digest }: Descriptor) => `blobs/sha256/${blobName(digest)}`;
  return {
    Config: path(manifest.config),
    RepoTags: references.length === 0
      ? null
      : references.map((text) => familiarReference(parseReference(text))),
    Layers: manifest.layers.map(path),
  };
}

/** For readers older than `manifest.json`. */
function dockerRepositories(images: SavedImage[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { manifest, references } of images) {
    const top = manifest.layers.at(-1);
    if (top === undefined) continue;
    for (const text of references) {
      const reference = parseReference(text);
      const tags = repositories[familiarName(reference)] ??= {};
      tags[reference.tag ?? "latest"] = blobName(top.digest);
    }
  }
  return repositories;
}

function header(kind: TarEntry["kind"], path: string, sizeBytes: number): Bytes {
  return encodeTarEntry({
    kind,
    path,
    linkPath: "",
    mode: kind === "directory" ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    userName: "",
    groupName: "",
    sizeBytes,
    // The same images make the same archive.
    mtime: { seconds: 0, nanoseconds: 0 },
    major: 0,
    minor: 0,
  });
}

function* document(path: string, value: unknown): Generator<Bytes> {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  yield header("file", path, bytes.length);
  yield bytes;
  yield tarPadding(bytes.length);
}

function* blob(path: string, name: string): Generator<Bytes> {
  using file = Deno.openSync(path);
  const { size } = file.statSync();
  yield header("file", `blobs/sha256/${name}`, size);
  const buffer = new Uint8Array(1 << 18);
  for (let left = size; left > 0;) {
    const count = file.readSync(buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === null) {
      throw new DhowError("digest_mismatch", `Cannot save blob "${path}": it is too short`);
    }
    left -= count;
    yield buffer.subarray(0, count);
  }
  yield tarPadding(size);
}
