/**
 * Sweeps what nothing refers to: blobs no manifest needs, layers no image and no container needs, what a killed
 * process left half made.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import type { Descriptor, Digest, Index, Manifest } from "../spec/image.ts";
import { blobName } from "../lib/digest.ts";
import { readDocument, TEMPORARY_BLOB } from "./blob.ts";
import { LOCK_PREFIX } from "./file_lock.ts";
import { readIndex, tryExclusive } from "./layout.ts";
import { PARTIAL_BLOB } from "./partial_blob.ts";

/** How long the beginning of a blob is kept: a week. */
const PARTIAL_KEPT_MS = 7 * 24 * 3600 * 1000;

/** What the sweep cannot know by itself. */
export interface GarbageOptions {
  /** chainIDs (hex) that containers stand on. */
  usedChainIds(): Iterable<string>;
  /** chainIDs (hex) of an image, from its config's diffIDs. */
  chainIdsOf(diffIds: Digest[]): string[];
  /** Removes trees whose files belong to subordinate ids: runs inside the user namespace. */
  removeTrees(paths: string[]): Promise<void>;
}

/**
 * Removes what is not needed. Does nothing, successfully, while anybody holds a lease: the next sweep will.
 *
 * @returns The digests of the blobs that are gone.
 */
export async function collectGarbage(
  paths: StorePaths,
  options: GarbageOptions,
): Promise<Digest[]> {
  const swept = sweep(paths, options);
  // Without the lock: what is left has names that nobody looks for.
  if (swept.trees.length > 0) await options.removeTrees(swept.trees);
  return swept.blobs;
}

/**
 * Removes blobs that no manifest needs, as far as nobody holds a lease: what a failed import leaves, on a disk that may
 * be full. A failure to do so is not reported, since the caller has something worse to tell.
 */
export function collectBlobs(paths: StorePaths): void {
  try {
    using exclusive = tryExclusive(paths);
    if (exclusive !== undefined) sweepBlobs(paths, findNeeded(paths).blobs);
  } catch {
    // The next sweep will.
  }
}

/** Synchronous, so that nobody else in this process can wait for the lock while it is held. */
function sweep(paths: StorePaths, options: GarbageOptions): { blobs: Digest[]; trees: string[] } {
  using exclusive = tryExclusive(paths);
  if (exclusive === undefined) return { blobs: [], trees: [] };
  const needed = findNeeded(paths);
  const chains = new Set<string>([...options.usedChainIds(), ...needed.chains]);
  for (const diffIds of needed.diffIds) {
    for (const chain of options.chainIdsOf(diffIds)) chains.add(chain);
  }
  return {
    blobs: sweepBlobs(paths, needed.blobs),
    trees: [...sweepTemporary(paths), ...deadLayers(paths, chains)],
  };
}

function findNeeded(
  paths: StorePaths,
): { blobs: Set<string>; diffIds: Digest[][]; chains: Set<string> } {
  const blobs = new Set<string>();
  const diffIds: Digest[][] = [];
  const visit = (descriptor: Descriptor): void => {
    if (blobs.has(blobName(descriptor.digest))) return;
    blobs.add(blobName(descriptor.digest));
    let document: Partial<Manifest & Index>;
    try {
      document = readDocument(paths, descriptor);
    } catch {
      // A broken image must not stop the sweep, nor lose what can still be read of it.
      return;
    }
    for (const manifest of document.manifests ?? []) visit(manifest);
    for (const layer of document.layers ?? []) blobs.add(blobName(layer.digest));
    if (document.config === undefined) return;
    blobs.add(blobName(document.config.digest));
    try {
      const config: { rootfs?: { diff_ids?: Digest[] } } = readDocument(paths, document.config);
      if (config.rootfs?.diff_ids) diffIds.push(config.rootfs.diff_ids);
    } catch {
      // As above.
    }
  };
  for (const descriptor of readIndex(paths)) visit(descriptor);
  const chains = new Set<string>();
  for (const { blob, chainId } of cachedLayers(paths)) {
    blobs.add(blob);
    chains.add(chainId);
  }
  return { blobs, diffIds, chains };
}

/** What the build cache keeps: names of blobs, and chainIDs. Half-written entries keep nothing. */
export function* cachedLayers(paths: StorePaths): Generator<{ blob: string; chainId: string }> {
  const directory = `${paths.cache}/build/steps`;
  for (const { name } of list(directory)) {
    let entry: { chainId?: string; layer?: { descriptor: Descriptor } };
    try {
      entry = JSON.parse(Deno.readTextFileSync(`${directory}/${name}`));
    } catch {
      continue; // removed meanwhile, or empty after a power cut
    }
    if (entry.layer === undefined || entry.chainId === undefined) continue;
    yield { blob: blobName(entry.layer.descriptor.digest), chainId: entry.chainId };
  }
}

function sweepBlobs(paths: StorePaths, needed: Set<string>): Digest[] {
  const removed: Digest[] = [];
  for (const { name } of list(paths.blobs)) {
    if (needed.has(name)) continue;
    Deno.removeSync(`${paths.blobs}/${name}`);
    removed.push(`sha256:${name}`);
  }
  return removed;
}

/** Removes half-written blobs, but for those that a later pull can go on with; returns the trees of containers that were half made or half removed. */
function sweepTemporary(paths: StorePaths): string[] {
  const trees: string[] = [];
  for (const { name, isDirectory } of list(paths.tmp)) {
    const path = `${paths.tmp}/${name}`;
    if (isDirectory) trees.push(path);
    else if (
      name.startsWith(TEMPORARY_BLOB) || name.startsWith(LOCK_PREFIX) ||
      name.startsWith(PARTIAL_BLOB) && isStale(path)
    ) Deno.removeSync(path);
  }
  return trees;
}

/** Whether the beginning of a blob was left so long ago that nobody will want the rest. */
function isStale(path: string): boolean {
  const changedMs = Deno.lstatSync(path).mtime?.getTime() ?? 0;
  return changedMs < Date.now() - PARTIAL_KEPT_MS;
}

/** Takes the names from layers that are not needed, and returns where they are, with the half-made ones. */
function deadLayers(paths: StorePaths, needed: Set<string>): string[] {
  const dead: string[] = [];
  for (const { name: mapping, isDirectory } of list(paths.layers)) {
    if (!isDirectory) continue;
    const base = `${paths.layers}/${mapping}`;
    for (const { name } of list(`${base}/l`)) {
      const chain = Deno.readLinkSync(`${base}/l/${name}`).slice("../".length);
      if (!needed.has(chain)) Deno.removeSync(`${base}/l/${name}`);
    }
    for (const { name } of list(`${base}/s`)) {
      if (!needed.has(name)) Deno.removeSync(`${base}/s/${name}`);
    }
    for (const { name } of list(base)) {
      if (name.length === 1 || needed.has(name)) continue;
      const temporary = name.startsWith(".tmp-") ? name : `.tmp-${crypto.randomUUID()}`;
      if (temporary !== name) Deno.renameSync(`${base}/${name}`, `${base}/${temporary}`);
      dead.push(`${base}/${temporary}`);
    }
  }
  return dead;
}

function list(directory: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
