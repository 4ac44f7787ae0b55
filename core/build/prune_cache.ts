/**
 * `docker builder prune`: what goes of the build cache, and how much there is.
 *
 * @module
 */
import { containerIds, readRecord } from "../container/record.ts";
import { DhowError } from "../errors.ts";
import { namesIn } from "../host/names_in.ts";
import type { StorePaths } from "../host/paths.ts";
import { removeIfThere } from "../host/remove_if_there.ts";
import { statIfThere } from "../host/stat.ts";
import { callInside, openNamespaceWorker } from "../image/namespace_worker.ts";
import { listStoredImages, readConfig } from "../image/stored_image.ts";
import { sweep } from "../image/remove_image.ts";
import type { ImageUser } from "../image/image_users.ts";
import { chainIds } from "../layer/chain_id.ts";
import type { DirectoryUsage } from "../layer/usage.ts";
import { parseTimestamp } from "../lib/duration.ts";
import { ensureUserNamespace } from "../runtime/userns.ts";
import { type CacheEntry, stepsDirectory } from "./cache.ts";
import { mountsDirectory } from "./cache_mounts.ts";

/** Which part of the cache goes. */
export interface PruneCacheOptions {
  /** Also what images in the store are made of. @default false */
  all?: boolean;
  /** `until`, `unused-for`, `type`, `id`. */
  filters?: Record<string, string[]>;
  /** How much may stay: what was used last stays. @default nothing */
  keepStorageBytes?: number;
}

/** What has gone. */
export interface CachePruned {
  /** Their ids. */
  removed: string[];
  reclaimedBytes: number;
}

/** One thing in the cache. */
export interface CacheRecord {
  /** The key of a step; the name of a cache mount's directory. */
  id: string;
  /** A step's layer, files of the context that are remembered, or a cache mount; docker's names. */
  type: "regular" | "source.local" | "exec.cachemount";
  /** The step, or the id that was given. */
  description: string;
  /** What it takes, whether images share it or not. */
  sizeBytes: number;
  /** RFC 3339. */
  createdAt: string;
  /** Unix milliseconds. */
  lastUsedMs: number;
  /** An image in the store has the layer: removing the record gives nothing back. */
  isShared: boolean;
  /** Somebody is at it just now. */
  isInUse: boolean;
}

/** Everything in the cache, what was used last first. */
export async function listCache(paths: StorePaths): Promise<CacheRecord[]> {
  const records = [...listSteps(paths), ...await listMounts(paths)];
  return records.sort((a, b) => b.lastUsedMs - a.lastUsedMs);
}

/**
 * Removes what nobody needs; an entry goes before its layer, so that a build that looks meanwhile finds both or neither.
 *
 * @throws {DhowError} `invalid_argument` for a filter that is none.
 */
export async function pruneBuildCache(
  paths: StorePaths,
  options: PruneCacheOptions = {},
): Promise<CachePruned> {
  const { all = false, filters = {}, keepStorageBytes } = options;
  const isWanted = selector(filters);
  const records = await listCache(paths);
  const gone: CacheRecord[] = [];
  let kept = 0;
  for (const record of records) {
    const mayGo = isWanted(record) && !record.isInUse && (all || !record.isShared);
    const isWithin = keepStorageBytes !== undefined &&
      kept + record.sizeBytes <= keepStorageBytes;
    if (!mayGo || isWithin) kept += record.isShared ? 0 : record.sizeBytes;
    else gone.push(record);
  }
  const trees: string[] = [];
  for (const { id, type } of gone) {
    if (type === "exec.cachemount") trees.push(...takeMount(paths, id));
    else removeIfThere(`${stepsDirectory(paths)}/${id}`);
  }
  if (trees.length > 0) {
    using worker = await openNamespaceWorker(paths);
    await worker.removeTrees(trees);
  }
  if (gone.length > 0) {
    const openWorker = () => openNamespaceWorker(paths);
    await sweep(paths, { users: () => imageUsers(paths), openWorker });
  }
  return {
    removed: gone.map(({ id }) => id),
    reclaimedBytes: gone.filter(({ isShared }) => !isShared)
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

function* listSteps(paths: StorePaths): Generator<CacheRecord> {
  const shared = chainsOfImages(paths);
  for (const name of namesIn(stepsDirectory(paths))) {
    const path = `${stepsDirectory(paths)}/${name}`;
    const stat = statIfThere(path);
    let entry: CacheEntry;
    try {
      entry = JSON.parse(Deno.readTextFileSync(path));
    } catch {
      continue;
    }
    const { layer, chainId, createdAt, type, name: description } = entry;
    yield {
      id: name,
      type,
      description,
      sizeBytes: (layer?.sizeBytes ?? 0) + (layer?.descriptor.size ?? 0),
      createdAt,
      lastUsedMs: stat?.mtime?.getTime() ?? 0,
      isShared: chainId !== undefined && shared.has(chainId),
      isInUse: false,
    };
  }
}

function chainsOfImages(paths: StorePaths): Set<string> {
  const chains = new Set<string>();
  for (const { id } of listStoredImages(paths)) {
    try {
      for (const chain of chainIds(readConfig(paths, id).rootfs.diff_ids)) chains.add(chain);
    } catch { /* broken, or removed meanwhile */ }
  }
  return chains;
}

async function listMounts(paths: StorePaths): Promise<CacheRecord[]> {
  const base = mountsDirectory(paths);
  const names = namesIn(base);
  if (names.length === 0) return [];
  using namespace = await ensureUserNamespace(paths);
  const directories = names.map((name) => `${base}/${name}`);
  const usages = await callInside(namespace, "__usage", directories) as DirectoryUsage[];
  return names.map((name, i) => {
    const stat = statIfThere(directories[i]!);
    const at = stat?.mtime ?? new Date(0);
    return {
      id: name,
      type: "exec.cachemount",
      description: "cached mount of a RUN",
      sizeBytes: usages[i]!.bytes,
      createdAt: (stat?.birthtime ?? at).toISOString(),
      lastUsedMs: at.getTime(),
      isShared: false,
      isInUse: isLocked(directories[i]!),
    };
  });
}

function isLocked(directory: string): boolean {
  return namesIn(directory).filter((name) => name.endsWith(".lock")).some((name) => {
    using file = Deno.openSync(`${directory}/${name}`, { write: true });
    return !file.tryLockSync(true);
  });
}

/**
 * Takes the names from the directories of a mount that nobody uses. They stay where they are: who does not own a
 * directory cannot move it elsewhere.
 *
 * @returns Where they are, with those that somebody who was killed has left.
 */
function takeMount(paths: StorePaths, id: string): string[] {
  const base = `${mountsDirectory(paths)}/${id}`;
  const taken: string[] = [];
  for (const name of namesIn(base).filter((name) => !name.endsWith(".lock"))) {
    const [number] = name.split(".");
    using file = Deno.openSync(`${base}/${number}.lock`, { write: true, create: true });
    if (!file.tryLockSync(true)) continue;
    const trash = `${base}/${number}.${crypto.randomUUID()}`;
    Deno.renameSync(`${base}/${name}`, trash);
    taken.push(trash);
  }
  return taken;
}

/** All containers, as the layers that they stand on see them. */
function imageUsers(paths: StorePaths): ImageUser[] {
  return containerIds(paths).flatMap((containerId) => {
    try {
      const { image, images = [] } = readRecord(paths, containerId);
      return [image, ...images].map(({ id: imageId, diffIds }) => ({
        containerId,
        imageId,
        diffIds,
        running: false, // which makes no difference to a layer
      }));
    } catch {
      return []; // removed meanwhile
    }
  });
}

function selector(filters: Record<string, string[]>): (record: CacheRecord) => boolean {
  const checks = Object.entries(filters).flatMap(([name, values]) =>
    values.map((value) => check(name, value))
  );
  return (record) => checks.every((fits) => fits(record));
}

function check(name: string, value: string): (record: CacheRecord) => boolean {
  switch (name) {
    case "until":
    case "unused-for": {
      const before = Date.now() - ageMs(value);
      return ({ lastUsedMs }) => lastUsedMs < before;
    }
    case "type":
      return ({ type }) => type === value;
    case "id":
      return ({ id }) => id.startsWith(value);
    case "description":
      return ({ description }) => description.includes(value);
    case "inuse":
    case "shared":
    case "private": {
      const wanted = value === "" || /^(1|t|true)$/i.test(value);
      return ({ isInUse, isShared }) =>
        (name === "inuse" ? isInUse : name === "shared" ? isShared : !isShared) === wanted;
    }
    default:
      throw new DhowError("invalid_argument", `invalid filter '${name}'`);
  }
}

/** `24h`; or a point in time. */
function ageMs(text: string): number {
  const now = Date.now();
  try {
    return now - Number(parseTimestamp(text, now) / 1_000_000n);
  } catch (cause) {
    throw new DhowError("invalid_argument", (cause as Error).message, { cause });
  }
}
