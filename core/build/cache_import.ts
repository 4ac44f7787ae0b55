/**
 * `--cache-from`: steps that were done elsewhere. Only what says which steps there are is read at once; a layer comes
 * when a step asks for it.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { isThere } from "../host/stat.ts";
import type { StorePaths } from "../host/paths.ts";
import { BlobFetcher } from "../image/blob_fetcher.ts";
import { openNamespaceWorker } from "../image/namespace_worker.ts";
import { unpackedLimit } from "../image/pull_layers.ts";
import { unpackLayers } from "../image/unpack_layers.ts";
import { layerSize } from "../image/ensure_unpacked.ts";
import { chainIds } from "../layer/chain_id.ts";
import { formatPlatform, hostPlatform } from "../lib/platform.ts";
import { parseReference, type Reference } from "../lib/reference.ts";
import { openRepository } from "../registry/client.ts";
import type { Repository } from "../registry/repository.ts";
import type { Descriptor, Index, Manifest } from "../spec/image.ts";
import { blobPath, BlobWriter, DOCUMENT_MAX } from "../store/blob.ts";
import {
  CACHE_CONFIG,
  type CacheDocument,
  INLINE_KEY,
  type PortableStep,
  readCacheDocument,
} from "./cache_document.ts";
import type { CacheEntry } from "./cache.ts";
import type { StoredLayer } from "./layers.ts";
import type { CacheTarget } from "./request.ts";
import type { BuildSession } from "./session.ts";

/** Somewhere that blobs come from. */
interface BlobSource {
  /** A document, its digest checked. */
  read(descriptor: Descriptor): Promise<unknown>;
  /** Sees to it that a blob is in the store. */
  fetch(descriptor: Descriptor): Promise<void>;
}

/** The caches that a build may take steps from. */
export class CacheImports implements Disposable {
  readonly #session: BuildSession;
  readonly #stack = new DisposableStack();
  readonly #steps = new Map<string, { step: PortableStep; source: BlobSource }>();

  constructor(session: BuildSession) {
    this.#session = session;
  }

  /** Reads what the caches hold. One that cannot be read is told of, and does without. */
  async open(): Promise<void> {
    for (const [index, target] of this.#session.request.cacheFrom.entries()) {
      const { emit } = this.#session;
      const id = `import ${index}`;
      const name = `importing cache manifest from ${nameOf(target)}`;
      emit({ kind: "start", id, name, timeMs: Date.now() });
      try {
        await this.#openOne(target);
        emit({ kind: "end", id, outcome: "done", timeMs: Date.now() });
      } catch (error) {
        this.#session.signal.throwIfAborted();
        const message = (error as Error).message;
        emit({ kind: "end", id, outcome: "failed", error: message, timeMs: Date.now() });
      }
    }
  }

  async #openOne(target: CacheTarget): Promise<void> {
    const { source, document } = target.type === "local"
      ? await openLocal(this.#session, target)
      : await openRemote(this.#session, target, this.#stack);
    for (const step of document.steps) {
      if (!this.#steps.has(step.key)) this.#steps.set(step.key, { step, source });
    }
  }

  /**
   * Takes a step that was done elsewhere into the store.
   *
   * @param below The layers it stands on.
   * @returns Undefined if nobody has it, or it cannot be had.
   */
  async take(key: string, below: readonly StoredLayer[]): Promise<CacheEntry | undefined> {
    const found = this.#steps.get(key);
    if (found === undefined) return undefined;
    const { step, source } = found;
    const { createdAt, name, type, layer } = step;
    if (layer === undefined) return { createdAt, name, type };
    try {
      const all = [...below, { ...layer, sizeBytes: 0 }];
      const stored = await this.#fetch(all, layer, source);
      return { ...stored, createdAt, name, type };
    } catch (error) {
      this.#session.signal.throwIfAborted();
      if (error instanceof DhowError && error.code === "no_space") throw error;
      this.#steps.delete(key); // it is done here, then
      return undefined;
    }
  }

  async #fetch(
    all: readonly StoredLayer[],
    { diffId, descriptor }: NonNullable<PortableStep["layer"]>,
    source: BlobSource,
  ): Promise<Pick<CacheEntry, "layer" | "chainId">> {
    const { paths, mapping, signal } = this.#session;
    await source.fetch(descriptor);
    using worker = await openNamespaceWorker(paths, signal);
    const diffIds = all.map(({ diffId }) => diffId);
    const layers = all.map(({ descriptor }) => descriptor);
    const image = { id: "of a build cache", diffIds, layers };
    await unpackLayers(paths, image, worker, { limit: unpackedLimit });
    const chainId = chainIds(diffIds).at(-1)!;
    const sizeBytes = layerSize(paths, chainId, mapping) ?? 0;
    return { layer: { diffId, descriptor, sizeBytes }, chainId };
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }
}

function nameOf({ attributes, type }: CacheTarget): string {
  return attributes.ref ?? attributes.src ?? type;
}

async function openRemote(
  session: BuildSession,
  { attributes }: CacheTarget,
  stack: DisposableStack,
): Promise<{ source: BlobSource; document: CacheDocument }> {
  const { signal } = session;
  const reference = parseReference(attributes.ref ?? "");
  const repository = stack.use(openRepository(reference));
  const source = remoteSource(session, repository);
  const { bytes } = await repository.manifest(tagOf(reference), { signal });
  let manifest: Manifest | Index = JSON.parse(new TextDecoder().decode(bytes));
  if ("manifests" in manifest) {
    const wanted = formatPlatform(hostPlatform());
    const one = manifest.manifests.find(({ platform }) =>
      platform !== undefined && formatPlatform(platform) === wanted
    ) ?? manifest.manifests[0]!;
    const { bytes } = await repository.manifest(one.digest, { signal });
    manifest = JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
  }
  return { source, document: await documentOf(manifest, source) };
}

function tagOf({ tag, digest }: Reference): string {
  return digest ?? tag ?? "latest";
}

/** The document that a manifest leads to; of an image, with the descriptors of its own layers. */
async function documentOf(manifest: Manifest, source: BlobSource): Promise<CacheDocument> {
  const config = await source.read(manifest.config);
  if (manifest.config.mediaType === CACHE_CONFIG) return readCacheDocument(config);
  const inline = (config as Record<string, unknown>)[INLINE_KEY];
  if (inline === undefined) throw new DhowError("not_found", "it holds no build cache");
  const diffIds = (config as { rootfs?: { diff_ids?: string[] } }).rootfs?.diff_ids ?? [];
  const { steps, ...rest } = inline as { steps: { layer?: { diffId: string } }[] };
  // A push may have compressed them since.
  const whole = steps.map((step) =>
    step.layer === undefined ? step : {
      ...step,
      layer: {
        diffId: step.layer.diffId,
        descriptor: manifest.layers[diffIds.indexOf(step.layer.diffId)],
      },
    }
  );
  return readCacheDocument({ ...rest, steps: whole });
}

function remoteSource({ paths, signal }: BuildSession, repository: Repository): BlobSource {
  const fetcher = new BlobFetcher(paths, repository, {
    signal,
    onProgress: () => {},
    onError: () => {},
  });
  return blobSource(paths, async (descriptor) => {
    await fetcher.fetch(descriptor).done;
  });
}

function localSource({ paths }: BuildSession, directory: string): BlobSource {
  return blobSource(paths, async ({ digest, size }) => {
    using file = await Deno.open(`${directory}/blobs/${digest.replace(":", "/")}`);
    using writer = await BlobWriter.create(paths);
    for await (const bytes of file.readable) writer.write(bytes);
    writer.commit({ digest, size });
  });
}

/** @param fetchMissing Brings a blob that is not in the store. */
function blobSource(
  paths: StorePaths,
  fetchMissing: (descriptor: Descriptor) => Promise<void>,
): BlobSource {
  const fetch = async (descriptor: Descriptor) => {
    if (!isThere(blobPath(paths, descriptor.digest))) await fetchMissing(descriptor);
  };
  return {
    fetch,
    read: async (descriptor) => {
      assertSmall(descriptor);
      await fetch(descriptor);
      return JSON.parse(await Deno.readTextFile(blobPath(paths, descriptor.digest)));
    },
  };
}

function assertSmall({ size }: Descriptor): void {
  if (size > DOCUMENT_MAX) throw new DhowError("invalid_argument", "its document is too long");
}

async function openLocal(
  session: BuildSession,
  { attributes }: CacheTarget,
): Promise<{ source: BlobSource; document: CacheDocument }> {
  const directory = attributes.src ?? "";
  const source = localSource(session, directory);
  let index: Index;
  try {
    index = JSON.parse(await Deno.readTextFile(`${directory}/index.json`));
  } catch (cause) {
    throw new DhowError("not_found", `Cannot read "${directory}/index.json"`, { cause });
  }
  const [first] = index.manifests;
  const wanted = attributes.digest;
  const descriptor = index.manifests.find(({ digest }) => digest === wanted) ?? first;
  if (descriptor === undefined) throw new DhowError("not_found", "it is empty");
  const manifest = await source.read(descriptor) as Manifest;
  return { source, document: await documentOf(manifest, source) };
}
