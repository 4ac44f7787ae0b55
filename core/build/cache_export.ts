/**
 * `--cache-to`: what this build has done, for others.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { isThere } from "../host/stat.ts";
import { compressLayer, isPlainLayer } from "../image/compress_layer.ts";
import { BlobPusher } from "../image/push_blobs.ts";
import { parseReference } from "../lib/reference.ts";
import { sha256Hex } from "../lib/sha256.ts";
import { openRepository } from "../registry/client.ts";
import type { Descriptor, Index, Manifest } from "../spec/image.ts";
import { blobPath, writeDocument } from "../store/blob.ts";
import {
  CACHE_ARTIFACT,
  CACHE_CONFIG,
  type CacheDocument,
  type PortableStep,
} from "./cache_document.ts";
import type { CacheTarget } from "./request.ts";
import type { BuildSession } from "./session.ts";
import type { StageState, TakenStep } from "./state.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/**
 * Writes the caches that the build was asked for, but for those that are part of the image.
 *
 * @param stages All stages that were built, the one that the image is of last.
 * @throws {DhowError} As a push; nothing is thrown for one with `ignore-error=true`.
 */
export async function exportCaches(
  session: BuildSession,
  stages: readonly StageState[],
): Promise<void> {
  const { request, emit, signal } = session;
  for (const [index, target] of request.cacheTo.entries()) {
    if (target.type === "inline") continue;
    const id = `export cache ${index}`;
    const name = `exporting cache to ${target.type === "local" ? "client directory" : "registry"}`;
    emit({ kind: "start", id, name, timeMs: Date.now() });
    try {
      const chosen = target.attributes.mode === "max" ? stages : stages.slice(-1);
      const document = await documentOf(chosen);
      if (target.type === "local") await exportLocal(session, target, document);
      else await exportRemote(session, target, document);
      emit({ kind: "end", id, outcome: "done", timeMs: Date.now() });
    } catch (error) {
      const message = (error as Error).message;
      emit({ kind: "end", id, outcome: "failed", error: message, timeMs: Date.now() });
      signal.throwIfAborted();
      if (target.attributes["ignore-error"] === "true") continue;
      const code = error instanceof DhowError ? error.code : "internal";
      throw new DhowError(code, `failed to export cache: ${message}`, { cause: error });
    }
  }
}

/** The steps of stages, each once. */
export async function documentOf(stages: readonly StageState[]): Promise<CacheDocument> {
  const steps = new Map<string, PortableStep>();
  for (const { steps: taken } of stages) {
    for (const step of taken) {
      const portable = await portableOf(step);
      steps.set(portable.key, portable);
    }
  }
  return { version: 1, steps: [...steps.values()] };
}

async function portableOf(step: TakenStep): Promise<PortableStep> {
  const stored = await step.layer?.stored;
  const { name, type, createdAt } = step;
  return {
    key: await step.key,
    createdAt,
    name,
    type,
    ...stored && { layer: { diffId: stored.diffId, descriptor: stored.descriptor } },
  };
}

/** The document with other descriptors, and these, each once. */
async function withLayers(
  document: CacheDocument,
  place: (layer: NonNullable<PortableStep["layer"]>) => Promise<Descriptor>,
): Promise<{ document: CacheDocument; layers: Descriptor[] }> {
  const layers = new Map<string, Descriptor>();
  const steps: PortableStep[] = [];
  for (const step of document.steps) {
    if (step.layer === undefined) {
      steps.push(step);
      continue;
    }
    const { mediaType, digest, size } = await place(step.layer);
    const descriptor = { mediaType, digest, size };
    layers.set(digest, descriptor);
    steps.push({ ...step, layer: { ...step.layer, descriptor } });
  }
  return { document: { ...document, steps }, layers: [...layers.values()] };
}

function manifestOf(config: Descriptor, layers: Descriptor[]): Manifest {
  return {
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType: CACHE_ARTIFACT,
    config,
    layers,
  };
}

async function exportRemote(
  session: BuildSession,
  { attributes }: CacheTarget,
  known: CacheDocument,
): Promise<void> {
  const { paths, signal } = session;
  const reference = parseReference(attributes.ref ?? "");
  using repository = openRepository(reference, { actions: "pull,push" });
  const pusher = new BlobPusher(paths, repository, { signal, onProgress: () => {} });
  const { document, layers } = await withLayers(
    known,
    ({ descriptor, diffId }) => pusher.pushLayer(descriptor, diffId),
  );
  const config = await writeDocument(paths, CACHE_CONFIG, JSON.stringify(document));
  await pusher.pushConfig(config);
  const bytes = new TextEncoder().encode(JSON.stringify(manifestOf(config, layers)));
  const tag = reference.tag ?? "latest";
  await repository.putManifest(tag, { mediaType: MANIFEST, bytes }, { signal });
}

async function exportLocal(
  session: BuildSession,
  { attributes }: CacheTarget,
  known: CacheDocument,
): Promise<void> {
  const { paths } = session;
  const directory = attributes.dest ?? "";
  if (directory === "") throw new DhowError("invalid_argument", "dest is required for local cache");
  await Deno.mkdir(`${directory}/blobs/sha256`, { recursive: true });
  const { document, layers } = await withLayers(
    known,
    async ({ descriptor }) => await copyLayer(paths, directory, descriptor, session.signal),
  );
  const config = await writeBlob(directory, CACHE_CONFIG, document);
  const manifest = await writeBlob(directory, MANIFEST, manifestOf(config, layers));
  const index: Index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [{ ...manifest, artifactType: CACHE_ARTIFACT }],
  };
  await replace(`${directory}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
  await replace(`${directory}/index.json`, JSON.stringify(index));
}

async function copyLayer(
  paths: StorePaths,
  directory: string,
  layer: Descriptor,
  signal: AbortSignal,
): Promise<Descriptor> {
  if (!isPlainLayer(layer)) {
    await copyBlob(blobPath(paths, layer.digest), directory, layer);
    return layer;
  }
  using compressed = await compressLayer(paths, layer, signal);
  await copyBlob(compressed.path, directory, compressed.descriptor);
  return compressed.descriptor;
}

async function copyBlob(from: string, directory: string, { digest }: Descriptor): Promise<void> {
  const path = `${directory}/blobs/${digest.replace(":", "/")}`;
  if (isThere(path)) return;
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.copyFile(from, temporary);
  await Deno.rename(temporary, path);
}

async function writeBlob(
  directory: string,
  mediaType: string,
  document: unknown,
): Promise<Descriptor> {
  const text = JSON.stringify(document);
  const bytes = new TextEncoder().encode(text);
  const hex = sha256Hex(bytes);
  await replace(`${directory}/blobs/sha256/${hex}`, text);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}

async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(temporary, text);
  await Deno.rename(temporary, path);
}
