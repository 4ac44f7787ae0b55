/**
 * `dhow push`: an image to a registry, as it lies in the store; plain layers are compressed on the way.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { isThere } from "../host/stat.ts";
import type { StorePaths } from "../host/paths.ts";
import { formatPlatform, hostPlatform, platformFit } from "../lib/platform.ts";
import { canonicalReference, familiarName, type Reference } from "../lib/reference.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { Repository } from "../registry/repository.ts";
import type { Descriptor, ImageConfig, Index, Manifest, Platform } from "../spec/image.ts";
import type { ProgressListener, PushedImage } from "../spec/progress.ts";
import { blobPath, readDocument } from "../store/blob.ts";
import { leaseStore, readIndex, REF_NAME, updateIndex } from "../store/layout.ts";
import { shortDigest } from "./blob_fetcher.ts";
import { BlobPusher } from "./push_blobs.ts";
import { REPO_DIGEST } from "./stored_image.ts";

/** How to push. */
export interface PushImageOptions {
  /** Of an image for several, this one alone. */
  platform?: Platform | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ProgressListener | undefined;
}

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Pushes one tag.
 *
 * @throws {DhowError} `not_found` if there is no such tag here; `unauthorized`, `unavailable` as the registry answers.
 */
export async function pushImage(
  paths: StorePaths,
  repository: Repository,
  reference: Reference,
  options: PushImageOptions,
): Promise<PushedImage> {
  const name = canonicalReference(reference);
  using _lease = leaseStore(paths);
  const line = readIndex(paths).find(({ annotations }) => annotations?.[REF_NAME] === name);
  if (line === undefined) throw notHere(reference);
  const abort = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, abort.signal]) : abort.signal;
  const onProgress = options.onProgress ?? (() => {});
  try {
    const push = new Push(paths, repository, { signal, onProgress });
    const { digest, sizeBytes } = await push.run(line, reference.tag!, options.platform);
    noteDigest(paths, name, canonicalReference({ ...repository.name, digest }));
    const text = `digest: ${digest} size: ${sizeBytes}`;
    onProgress({ kind: "message", id: reference.tag!, text });
    return { digest, reference: name, sizeBytes };
  } catch (error) {
    // What else is on its way ends with the first failure.
    abort.abort(error);
    throw error;
  }
}

/** Docker's words for a name that is not here. */
export function notHere(reference: Reference): DhowError {
  return new DhowError(
    "not_found",
    `An image does not exist locally with the tag: ${familiarName(reference)}`,
  );
}

class Push {
  readonly #paths: StorePaths;
  readonly #repository: Repository;
  readonly #options: { signal: AbortSignal; onProgress: ProgressListener };
  readonly #blobs: BlobPusher;

  constructor(
    paths: StorePaths,
    repository: Repository,
    options: { signal: AbortSignal; onProgress: ProgressListener },
  ) {
    this.#paths = paths;
    this.#repository = repository;
    this.#options = options;
    this.#blobs = new BlobPusher(paths, repository, options);
  }

  async run(
    line: Descriptor,
    tag: string,
    platform: Platform | undefined,
  ): Promise<{ digest: string; sizeBytes: number }> {
    const document = readDocument<Manifest | Index>(this.#paths, line);
    if (!("manifests" in document)) {
      this.#assertPlatform(document, platform, tag);
      return await this.#pushManifest(line, document, tag);
    }
    const whole = platform === undefined && document.manifests.every((one) => this.#isWhole(one));
    if (whole) return await this.#pushIndex(line, document, tag);
    const one = this.#choose(document, platform ?? hostPlatform());
    const pushed = await this.#pushManifest(one, readDocument(this.#paths, one), tag);
    if (platform === undefined) {
      this.#options.onProgress({
        kind: "message",
        text:
          `Not all platforms of the image are here; only ${
            formatPlatform(one.platform!)
          } was pushed: ` +
          `${line.digest} -> ${pushed.digest}`,
      });
    }
    return pushed;
  }

  #assertPlatform(manifest: Manifest, platform: Platform | undefined, tag: string): void {
    if (platform === undefined) return;
    const config = readDocument<ImageConfig>(this.#paths, manifest.config);
    if (platformFit(platform, config) > 0) return;
    const shown = `${familiarName(this.#repository.name)}:${tag}`;
    throw new DhowError(
      "not_found",
      `image with reference ${shown} was found but does not provide the specified platform (${
        formatPlatform(platform)
      })`,
    );
  }

  #choose(index: Index, platform: Platform): Descriptor {
    const fit = (one: Descriptor) => one.platform ? platformFit(platform, one.platform) : 0;
    const [best] = index.manifests.filter((one) => fit(one) > 0 && this.#isWhole(one))
      .sort((a, b) => fit(b) - fit(a));
    if (best !== undefined) return best;
    throw new DhowError(
      "not_found",
      `Cannot push: the image is not here for ${formatPlatform(platform)}`,
    );
  }

  /** Whether all blobs of one platform's image are in the store. */
  #isWhole(descriptor: Descriptor): boolean {
    try {
      const { config, layers } = readDocument<Manifest>(this.#paths, descriptor);
      return [config, ...layers].every(({ digest }) => isThere(blobPath(this.#paths, digest)));
    } catch {
      return false;
    }
  }

  async #pushIndex(
    line: Descriptor,
    index: Index,
    tag: string,
  ): Promise<{ digest: string; sizeBytes: number }> {
    const pushed: Descriptor[] = [];
    for (const one of index.manifests) {
      const manifest = readDocument<Manifest>(this.#paths, one);
      const { digest, sizeBytes } = await this.#pushManifest(one, manifest, undefined);
      pushed.push({ ...one, digest, size: sizeBytes });
    }
    const isSame = pushed.every(({ digest }, i) => digest === index.manifests[i]!.digest);
    const bytes = isSame
      ? await Deno.readFile(blobPath(this.#paths, line.digest))
      : encode({ ...index, manifests: pushed });
    return await this.#put(tag, line.mediaType, bytes);
  }

  async #pushManifest(
    descriptor: Descriptor,
    manifest: Manifest,
    tag: string | undefined,
  ): Promise<{ digest: string; sizeBytes: number }> {
    const diffIds = diffIdsOf(readDocument<ImageConfig>(this.#paths, manifest.config), manifest);
    // The first word to the registry: one login for all, and nothing announced to one that is not there.
    const { signal } = this.#options;
    await this.#repository.hasBlob(manifest.config.digest, { signal });
    const order = manifest.layers.map((_, i) => i).reverse();
    const announced = new Set<string>();
    for (const i of order) {
      const id = shortDigest(diffIds[i]!);
      if (!announced.has(id)) {
        this.#options.onProgress({ kind: "layer", id, status: "Preparing" });
      }
      announced.add(id);
    }
    const layers: Descriptor[] = [];
    await Promise.all([
      ...order.map(async (i) => {
        layers[i] = await this.#blobs.pushLayer(manifest.layers[i]!, diffIds[i]!);
      }),
      this.#blobs.pushConfig(manifest.config),
    ]);
    const isSame = layers.every(({ digest }, i) => digest === manifest.layers[i]!.digest);
    const bytes = isSame
      ? await Deno.readFile(blobPath(this.#paths, descriptor.digest))
      : encode({ ...manifest, layers });
    const mediaType = manifest.mediaType ?? descriptor.mediaType;
    return await this.#put(tag ?? `sha256:${sha256Hex(bytes)}`, mediaType, bytes);
  }

  async #put(
    tag: string,
    mediaType: string,
    bytes: Bytes,
  ): Promise<{ digest: string; sizeBytes: number }> {
    const { signal } = this.#options;
    const digest = await this.#repository.putManifest(tag, { mediaType, bytes }, { signal });
    return { digest, sizeBytes: bytes.length };
  }
}

function encode(document: Manifest | Index): Bytes {
  return new TextEncoder().encode(JSON.stringify(document));
}

/** Of what is no image (an attestation) the blobs' own digests. */
function diffIdsOf(config: ImageConfig, manifest: Manifest): string[] {
  const diffIds = config.rootfs?.diff_ids;
  const isImage = Array.isArray(diffIds) && diffIds.length === manifest.layers.length;
  return isImage ? diffIds : manifest.layers.map(({ digest }) => digest);
}

/** Notes under which digest a registry has a name now. */
function noteDigest(paths: StorePaths, name: string, repoDigest: string): void {
  updateIndex(paths, (lines) => {
    const line = lines.find(({ annotations }) => annotations?.[REF_NAME] === name);
    if (line === undefined || line.annotations![REPO_DIGEST] === repoDigest) return undefined;
    const noted = { ...line, annotations: { ...line.annotations, [REPO_DIGEST]: repoDigest } };
    return lines.map((other) => other === line ? noted : other);
  });
}
