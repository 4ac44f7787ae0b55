/**
 * From a stage to an image: its config, its history, its names.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { addImage } from "../image/add_image.ts";
import { unpackedSize } from "../image/ensure_unpacked.ts";
import { IMAGE_ID } from "../image/stored_image.ts";
import { lazy } from "../lib/lazy.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { Descriptor, Digest, History, ImageConfig, Manifest } from "../spec/image.ts";
import { isThere } from "../host/stat.ts";
import { blobPath, writeDocument } from "../store/blob.ts";
import { readIndex, REF_NAME } from "../store/layout.ts";
import { COMMENT } from "./image_config.ts";
import { type StoredLayer, storedLayers } from "./layers.ts";
import type { BuildSession } from "./session.ts";
import type { HistoryLine, StageState } from "./state.ts";
import { timeOf } from "./step.ts";

/** Media types of image-spec. */
const MEDIA_TYPES = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
} as const;

/** An image that was made. */
export interface FinishedImage {
  id: Digest;
  manifest: Descriptor;
  isNew: boolean;
}

/** Writes the image of a stage; the names it gets are taken from others. */
export async function finishImage(
  session: BuildSession,
  state: StageState,
): Promise<FinishedImage> {
  const { paths, mapping, request } = session;
  const layers = await storedLayers(state.layers);
  const { config, created } = await finalConfig(session, state, layers);
  const document: ImageConfig = {
    ...created !== undefined && { created },
    ...config,
    ...await inlineCache(session, state),
  };
  const described = layers.map(({ descriptor }) => ({
    mediaType: descriptor.mediaType,
    digest: descriptor.digest,
    size: descriptor.size,
  }));
  const stored = await store(paths, document, described);
  if (isNamedAlready(paths, stored.id, request.tags)) return stored;
  const diffIds = layers.map(({ diffId }) => diffId);
  addImage(paths, {
    id: stored.id,
    manifest: stored.manifest,
    references: [...request.tags],
    sizeBytes: unpackedSize(paths, diffIds, mapping),
  });
  return stored;
}

/** Whether the index would stay as it is: it need not be written then, and nobody waits for the disk. */
function isNamedAlready(paths: StorePaths, id: Digest, tags: readonly string[]): boolean {
  const lines = readIndex(paths).filter(({ annotations }) => annotations?.[IMAGE_ID] === id);
  return lines.length > 0 &&
    tags.every((tag) => lines.some(({ annotations }) => annotations![REF_NAME] === tag));
}

/** What `--cache-to type=inline` adds to the config: which step has made which layer. */
async function inlineCache(session: BuildSession, state: StageState): Promise<object> {
  if (!session.request.cacheTo.some(({ type }) => type === "inline")) return {};
  const [{ documentOf }, { INLINE_KEY }] = await Promise.all([
    lazy<typeof import("./cache_export.ts")>("./cache_export.ts", import.meta.url),
    lazy<typeof import("./cache_document.ts")>("./cache_document.ts", import.meta.url),
  ]);
  const { steps, ...rest } = await documentOf([state]);
  // A push may compress a layer: only what it holds is sure.
  const named = steps.map(({ layer, ...step }) => ({
    ...step,
    ...layer && { layer: { diffId: layer.diffId } },
  }));
  return { [INLINE_KEY]: { ...rest, steps: named } };
}

/** The config whole, and when the image was made. */
async function finalConfig(
  session: BuildSession,
  state: StageState,
  layers: readonly StoredLayer[],
): Promise<{ config: ImageConfig; created: string | undefined }> {
  const { request } = session;
  const { config } = state.config;
  const history = await historyOf(state.history);
  if (request.sourceDateEpoch !== undefined) {
    const time = timeOf(session);
    for (const line of history.own) line.created = time;
  }
  const created = history.own.at(-1)?.created ?? history.all.at(-1)?.created;
  const run = { ...config.config };
  if (Object.keys(request.labels).length > 0) {
    run.Labels = Object.fromEntries(
      Object.entries({ ...run.Labels, ...request.labels }).sort(([a], [b]) => a < b ? -1 : 1),
    );
  }
  return {
    created,
    config: {
      ...config,
      config: run,
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
      history: history.all,
    },
  };
}

/** The history whole; lines that make no layer are as old as the layer before them, or else the next. */
async function historyOf(
  lines: readonly HistoryLine[],
): Promise<{ all: History[]; own: History[] }> {
  const own: History[] = [];
  const all: History[] = [];
  for (const line of lines) {
    if (line.kind === "inherited") {
      all.push(line.history);
      continue;
    }
    const stored = line.kind === "step" ? await line.layer?.stored : undefined;
    const entry: History = {
      created: line.kind === "step" ? line.createdAt : "", // here, for the order of the fields
      created_by: line.createdBy,
      comment: COMMENT,
      ...stored === undefined && { empty_layer: true },
    };
    own.push(entry);
    all.push(entry);
  }
  const inherited = lines.findLast((line) => line.kind === "inherited");
  let time = own.find(({ created }) => created !== "")?.created ??
    (inherited?.kind === "inherited" ? inherited.history.created : undefined);
  for (const entry of own) {
    time = entry.created || time;
    if (time === undefined) delete entry.created;
    else entry.created = time;
  }
  return { all, own };
}

/** Writes config and manifest, unless they are there. */
async function store(
  paths: StorePaths,
  config: ImageConfig,
  layers: Descriptor[],
): Promise<FinishedImage> {
  const text = JSON.stringify(config);
  const described = descriptorOf(MEDIA_TYPES.config, text);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: described,
    layers,
  };
  const manifestText = JSON.stringify(manifest);
  const manifestDescriptor = descriptorOf(MEDIA_TYPES.manifest, manifestText);
  const isThereAlready = [described, manifestDescriptor]
    .every(({ digest }) => isThere(blobPath(paths, digest)));
  if (!isThereAlready) {
    await writeDocument(paths, MEDIA_TYPES.config, text);
    await writeDocument(paths, MEDIA_TYPES.manifest, manifestText);
  }
  return { id: described.digest, manifest: manifestDescriptor, isNew: !isThereAlready };
}

function descriptorOf(mediaType: string, text: string): Descriptor {
  const bytes = new TextEncoder().encode(text);
  return { mediaType, digest: `sha256:${sha256Hex(bytes)}`, size: bytes.length };
}
