/**
 * `dhow pull`: an image from a registry, by tag or digest.
 *
 * The tag is resolved once; everything else is asked for by digest. Nothing has a name before all of it is there and
 * was checked; what a broken pull leaves are beginnings of blobs, with which the next one goes on.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { isThere } from "../host/stat.ts";
import { isDigest } from "../lib/digest.ts";
import { formatPlatform, hostPlatform, platformFit } from "../lib/platform.ts";
import { printable } from "../lib/printable.ts";
import { canonicalReference, familiarReference, type Reference } from "../lib/reference.ts";
import type { Repository } from "../registry/repository.ts";
import type { Descriptor, Digest, ImageConfig, Platform } from "../spec/image.ts";
import type { ProgressListener, PulledImage } from "../spec/progress.ts";
import { blobPath, BlobWriter, DOCUMENT_MAX, readDocument } from "../store/blob.ts";
import { collectBlobs } from "../store/gc.ts";
import { leaseStore, readIndex, REF_NAME } from "../store/layout.ts";
import { addImage } from "./add_image.ts";
import { BlobFetcher, shortDigest } from "./blob_fetcher.ts";
import { assertImageConfig } from "./config_shape.ts";
import { findUnpacked, unpackedSize } from "./ensure_unpacked.ts";
import type { LayerHelper } from "./layer_helper.ts";
import { noteOrigins } from "./origins.ts";
import { unpackComing } from "./pull_layers.ts";
import { chooseManifest, type ChosenManifest } from "./pull_manifest.ts";
import { groupImages, readConfig, readManifest, REPO_DIGEST } from "./stored_image.ts";

/** How to pull. */
export interface PullImageOptions {
  /** @default this machine's */
  platform?: Platform | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ProgressListener | undefined;
  /** One of several: it says no status of its own. @default false */
  isOneOfMany?: boolean;
  /** Opened only if there is something to unpack. */
  openHelper(signal: AbortSignal): Promise<LayerHelper>;
  /** Name of the id mapping that images are unpacked for. */
  mapping: string;
}

/**
 * Pulls one image and names it.
 *
 * @param reference With a tag or a digest; `latest` where it has neither.
 * @throws {DhowError} `not_found`, `unauthorized`, `unavailable` as the registry answers; `digest_mismatch`,
 *   `invalid_layer`, `unsupported` for what it sent; `no_space`. The signal's reason.
 */
export async function pullImage(
  paths: StorePaths,
  repository: Repository,
  reference: Reference,
  options: PullImageOptions,
): Promise<PulledImage> {
  try {
    return await new Pull(paths, repository, reference, options).run();
  } catch (error) {
    if (error instanceof DhowError && error.code === "no_space") collectBlobs(paths);
    throw error;
  }
}

class Pull {
  readonly #paths: StorePaths;
  readonly #repository: Repository;
  readonly #reference: Reference;
  readonly #options: PullImageOptions;
  readonly #onProgress: ProgressListener;
  /** As docker shows it: `busybox:latest`. */
  readonly #shown: string;

  constructor(
    paths: StorePaths,
    repository: Repository,
    reference: Reference,
    options: PullImageOptions,
  ) {
    this.#paths = paths;
    this.#repository = repository;
    this.#reference = reference.digest !== undefined || reference.tag !== undefined
      ? reference
      : { ...reference, tag: "latest" };
    this.#options = options;
    this.#onProgress = options.onProgress ?? (() => {});
    this.#shown = familiarReference(this.#reference);
  }

  async run(): Promise<PulledImage> {
    using _lease = leaseStore(this.#paths);
    const call = this.#options.signal ? { signal: this.#options.signal } : {};
    const { tag, digest } = this.#reference;
    const head = digest === undefined && this.#named() !== undefined
      ? await this.#repository.headManifest(tag!, call)
      : undefined;
    const known = this.#known(digest ?? head?.digest);
    if (known !== undefined) {
      this.#sayPulling();
      return this.#finish(known.image, known.digest);
    }
    const fetched = await this.#repository.manifest(digest ?? head?.digest ?? tag!, call);
    this.#sayPulling();
    const platform = this.#options.platform ?? hostPlatform();
    const chosen = await chooseManifest(this.#repository, fetched, {
      ...call,
      platform,
      name: this.#shown,
    });
    const there = this.#stored(chosen.manifest.config.digest);
    const image = there ?? await this.#fetch(chosen);
    return this.#finish(image, fetched.digest);
  }

  #sayPulling(): void {
    const id = this.#reference.digest === undefined ? this.#reference.tag! : this.#shown;
    const text = `Pulling from ${this.#repository.name.repository}`;
    this.#onProgress({ kind: "message", id, text });
  }

  /** The line of the index that has the name already. */
  #named(): Descriptor | undefined {
    const { digest, ...tagged } = this.#reference;
    const name = canonicalReference(tagged);
    return readIndex(this.#paths).find(({ annotations }) =>
      digest === undefined
        ? annotations?.[REF_NAME] === name
        : annotations?.[REPO_DIGEST] === this.#repoDigest(digest)
    );
  }

  #repoDigest(digest: Digest): string {
    const { domain, repository } = this.#reference;
    return canonicalReference({ domain, repository, digest });
  }

  /** The image that came from here by this digest, if it is whole and for the platform asked for. */
  #known(digest: Digest | undefined): { image: StoredParts; digest: Digest } | undefined {
    if (digest === undefined) return undefined;
    const wanted = this.#repoDigest(digest);
    const lines = readIndex(this.#paths);
    for (const image of groupImages(this.#paths, lines)) {
      if (!image.repoDigests.includes(wanted)) continue;
      const parts = this.#stored(image.id);
      if (parts !== undefined && this.#suits(parts.config)) return { image: parts, digest };
    }
    return undefined;
  }

  #suits(config: ImageConfig): boolean {
    return platformFit(this.#options.platform ?? hostPlatform(), config) > 0;
  }

  /** An image of the store with all its blobs, unpacked. */
  #stored(id: Digest): StoredParts | undefined {
    const image = groupImages(this.#paths, readIndex(this.#paths)).find((one) => one.id === id);
    if (image === undefined) return undefined;
    try {
      const config = readConfig(this.#paths, id);
      const { layers } = readManifest(this.#paths, image.manifest);
      const isWhole = layers.every(({ digest }) => isThere(blobPath(this.#paths, digest))) &&
        findUnpacked(this.#paths, config.rootfs.diff_ids, this.#options.mapping) !== undefined;
      return isWhole ? { id, config, descriptor: image.manifest } : undefined;
    } catch {
      return undefined;
    }
  }

  async #fetch({ descriptor, bytes, manifest }: ChosenManifest): Promise<StoredParts> {
    const abort = new AbortController();
    const { signal: outer } = this.#options;
    const signal = outer ? AbortSignal.any([outer, abort.signal]) : abort.signal;
    const fetcher = new BlobFetcher(this.#paths, this.#repository, {
      signal,
      onProgress: this.#onProgress,
      onError: (error) => abort.abort(error),
    });
    for (const layer of new Set(manifest.layers.map(({ digest }) => digest))) {
      this.#announce(layer);
    }
    try {
      using helper = await this.#options.openHelper(signal);
      helper.prepare();
      const stop = () => helper.stop(signal.reason);
      signal.addEventListener("abort", stop);
      try {
        for (const layer of manifest.layers) fetcher.fetch(layer);
        const config = await this.#fetchConfig(manifest.config, signal);
        const diffIds = checkedDiffIds(config, manifest.layers.length, this.#shown);
        const coming = { id: manifest.config.digest, diffIds, layers: manifest.layers };
        await unpackComing(this.#paths, coming, {
          helper,
          fetcher,
          onProgress: this.#onProgress,
        });
        signal.throwIfAborted();
        await writeBlob(this.#paths, descriptor, bytes);
        noteOrigins(this.#paths, manifest.layers, this.#repository.name);
        return { id: manifest.config.digest, config, descriptor };
      } catch (error) {
        // The first error is the one to tell; what it ended says only that it was ended.
        const first = signal.aborted ? signal.reason : error;
        abort.abort(first);
        throw first;
      } finally {
        signal.removeEventListener("abort", stop);
      }
    } catch (error) {
      await fetcher.settled();
      if (error instanceof DhowError && error.code === "no_space") fetcher.discard();
      throw error;
    }
  }

  #announce(digest: Digest): void {
    const status = isThere(blobPath(this.#paths, digest)) ? "Already exists" : "Pulling fs layer";
    this.#onProgress({ kind: "layer", id: shortDigest(digest), status });
  }

  async #fetchConfig(descriptor: Descriptor, signal: AbortSignal): Promise<ImageConfig> {
    if (descriptor.size > DOCUMENT_MAX) {
      throw new DhowError(
        "invalid_archive",
        `Cannot pull ${this.#shown}: its config is longer than ${DOCUMENT_MAX} bytes`,
      );
    }
    if (!isThere(blobPath(this.#paths, descriptor.digest))) {
      const { body } = await this.#repository.blob(descriptor.digest, { signal });
      using writer = await BlobWriter.create(this.#paths);
      for await (const chunk of body) {
        if (writer.sizeBytes + chunk.length > descriptor.size) break;
        writer.write(chunk);
      }
      writer.commit(descriptor);
    }
    return readDocument<ImageConfig>(this.#paths, descriptor);
  }

  #finish({ id, config, descriptor }: StoredParts, digest: Digest): PulledImage {
    const before = this.#named()?.annotations;
    const isNew = before === undefined || idOf(this.#paths, before) !== id;
    const { digest: byDigest, ...tagged } = this.#reference;
    const repoDigest = this.#repoDigest(digest);
    if (isNew || before?.[REPO_DIGEST] !== repoDigest) {
      addImage(this.#paths, {
        id,
        manifest: descriptor,
        references: byDigest === undefined ? [canonicalReference(tagged)] : [],
        repoDigest,
        sizeBytes: unpackedSize(this.#paths, config.rootfs.diff_ids, this.#options.mapping),
      });
    }
    const say = (text: string) => this.#onProgress({ kind: "message", text });
    say(`Digest: ${digest}`);
    if (!this.#options.isOneOfMany) say(pullStatus(isNew, this.#shown));
    const { platform } = this.#options;
    if (platform !== undefined && !this.#suits(config)) {
      say(
        `WARNING: image with reference ${this.#shown} was found but its platform (${
          formatPlatform(config)
        }) does not match the specified platform (${formatPlatform(platform)})`,
      );
    }
    return { id, digest, reference: canonicalReference(this.#reference), isNew };
  }
}

/** Docker's last words. */
export function pullStatus(isNew: boolean, shown: string): string {
  return isNew
    ? `Status: Downloaded newer image for ${shown}`
    : `Status: Image is up to date for ${shown}`;
}

/** An image whose parts are all in the store. */
interface StoredParts {
  id: Digest;
  config: ImageConfig;
  descriptor: Descriptor;
}

function idOf(paths: StorePaths, annotations: Record<string, string>): Digest | undefined {
  return groupImages(paths, readIndex(paths)).find((image) =>
    image.references.includes(annotations[REF_NAME] ?? "") ||
    image.repoDigests.includes(annotations[REPO_DIGEST] ?? "")
  )?.id;
}

async function writeBlob(
  paths: StorePaths,
  { digest, size }: Descriptor,
  bytes: Uint8Array,
): Promise<void> {
  using writer = await BlobWriter.create(paths);
  writer.write(bytes);
  writer.commit({ digest, size });
}

/** The config's diffIDs, if it is a config and has one for each layer. */
function checkedDiffIds(config: ImageConfig, count: number, name: string): Digest[] {
  assertImageConfig(config, `Cannot pull ${name}`);
  const diffIds: unknown = config.rootfs?.diff_ids;
  const isRight = Array.isArray(diffIds) && diffIds.length === count &&
    diffIds.every((id) => typeof id === "string" && isDigest(id) && id.startsWith("sha256:")) &&
    typeof config.os === "string" && typeof config.architecture === "string";
  if (!isRight) {
    throw new DhowError(
      "invalid_archive",
      `Cannot pull ${name}: its config does not go with its ${count} layers`,
    );
  }
  if (config.os !== "linux") {
    throw new DhowError(
      "unsupported",
      `Cannot pull ${name}: it is for ${printable(config.os, 40)}, not linux`,
    );
  }
  return diffIds;
}
