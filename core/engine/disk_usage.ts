/**
 * `docker system df`: what images, containers and volumes take on the disk.
 *
 * The totals are what du(1) says of the store; the sizes of single images are those that docker counts, since what
 * images share cannot be told apart on the disk.
 *
 * @module
 */
import { listCache } from "../build/prune_cache.ts";
import { containerIds, readRecord } from "../container/record.ts";
import type { StorePaths } from "../host/paths.ts";
import { layerSize } from "../image/ensure_unpacked.ts";
import { callInside } from "../image/namespace_worker.ts";
import { listStoredImages, readConfig, readManifest } from "../image/stored_image.ts";
import { chainIds } from "../layer/chain_id.ts";
import type { DirectoryUsage } from "../layer/usage.ts";
import { blobName } from "../lib/digest.ts";
import { ensureUserNamespace } from "../runtime/userns.ts";
import type { ContainerSummary, DiskUsage, ImageSummary, VolumeUsage } from "../spec/docker_api.ts";
import { ensureLayout } from "../store/layout.ts";
import { readVolume, volumeData } from "../volume/volume.ts";
import type { Engine } from "./engine.ts";

/** Measures everything. Walks all trees of the store: this takes as long as du(1). */
export async function collectDiskUsage(paths: StorePaths, engine: Engine): Promise<DiskUsage> {
  ensureLayout(paths);
  const [images, containers] = await Promise.all([
    engine.images.list({ all: true }),
    engine.containers.list({ all: true, size: true }),
  ]);
  using namespace = await ensureUserNamespace(paths);
  const mapping = namespace.map.name;
  const measured = await callInside(namespace, "__usage", [
    `${paths.root}/blobs`,
    paths.blobs,
    paths.layers,
    `${paths.layers}/${mapping}`,
    paths.containers,
    paths.volumes,
  ]) as DirectoryUsage[];
  const [allBlobs, blobs, allLayers, layers, ofContainers, ofVolumes] = measured as [
    DirectoryUsage,
    DirectoryUsage,
    DirectoryUsage,
    DirectoryUsage,
    DirectoryUsage,
    DirectoryUsage,
  ];
  const buildCache = await cacheUsage(paths);
  const needed = neededByContainers(paths, containers);
  const isUsed = ({ Id }: ImageSummary) => containers.some(({ ImageID }) => ImageID === Id);
  return {
    images: {
      count: images.length,
      active: images.filter(isUsed).length,
      bytes: Math.max(0, allBlobs.bytes + allLayers.bytes - buildCache.bytes),
      reclaimableBytes: unneeded(blobs, needed.blobs) + unneeded(layers, needed.layers),
      items: sharedSizes(paths, images, mapping),
    },
    containers: {
      count: containers.length,
      active: containers.filter(isActive).length,
      bytes: inChildren(ofContainers),
      reclaimableBytes: containers.filter((row) => !isActive(row))
        .reduce((sum, { Id }) => sum + (ofContainers.children[Id] ?? 0), 0),
      items: containers,
    },
    volumes: volumeUsage(paths, ofVolumes, containers),
    buildCache,
  };
}

/** Of the build cache; what images have too is counted with them. */
async function cacheUsage(paths: StorePaths): Promise<DiskUsage["buildCache"]> {
  const records = await listCache(paths);
  const own = records.filter(({ isShared }) => !isShared);
  const sum = (some: typeof records) => some.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
  return {
    count: records.length,
    active: records.filter(({ isInUse, isShared }) => isInUse || isShared).length,
    bytes: sum(own),
    reclaimableBytes: sum(own.filter(({ isInUse }) => !isInUse)),
  };
}

function isActive({ State }: ContainerSummary): boolean {
  return State === "running" || State === "paused" || State === "restarting";
}

/** Blobs and layers, by file name, that would stay if every unused image went. */
function neededByContainers(
  paths: StorePaths,
  containers: ContainerSummary[],
): { blobs: Set<string>; layers: Set<string> } {
  const layers = new Set<string>();
  for (const id of containerIds(paths)) {
    try {
      for (const chain of chainIds(readRecord(paths, id).image.diffIds)) layers.add(chain);
    } catch { /* removed meanwhile */ }
  }
  const blobs = new Set<string>();
  const used = new Set(containers.map(({ ImageID }) => ImageID));
  for (const image of listStoredImages(paths)) {
    if (!used.has(image.id)) continue;
    const manifest = readManifest(paths, image.manifest);
    for (const { digest } of [image.manifest, manifest.config, ...manifest.layers]) {
      blobs.add(blobName(digest));
    }
  }
  return { blobs, layers };
}

function unneeded({ children }: DirectoryUsage, needed: Set<string>): number {
  return Object.entries(children)
    .filter(([name]) => name.length >= 64 && !needed.has(name))
    .reduce((sum, [, bytes]) => sum + bytes, 0);
}

function inChildren({ children }: DirectoryUsage): number {
  return Object.values(children).reduce((sum, bytes) => sum + bytes, 0);
}

/** How much of each image others have too. */
function sharedSizes(
  paths: StorePaths,
  images: ImageSummary[],
  mapping: string,
): (ImageSummary & { UniqueSize: number })[] {
  const chains = images.map(({ Id }) => {
    try {
      return chainIds(readConfig(paths, Id).rootfs.diff_ids);
    } catch {
      return [];
    }
  });
  const users = new Map<string, number>();
  for (const chain of chains.flat()) users.set(chain, (users.get(chain) ?? 0) + 1);
  return images.map((image, index) => {
    const shared = chains[index]!.filter((chain) => users.get(chain)! > 1)
      .reduce((sum, chain) => sum + (layerSize(paths, chain, mapping) ?? 0), 0);
    return { ...image, SharedSize: shared, UniqueSize: image.Size - shared };
  });
}

function volumeUsage(
  paths: StorePaths,
  usage: DirectoryUsage,
  containers: ContainerSummary[],
): DiskUsage["volumes"] {
  const items = Object.entries(usage.children)
    .filter(([name]) => !name.startsWith("."))
    .map(([name, bytes]): VolumeUsage => ({
      Name: name,
      Driver: "local",
      Mountpoint: volumeData(paths, name),
      Labels: volumeLabels(paths, name),
      UsageData: {
        Size: bytes,
        RefCount: containers.filter(({ Mounts }) => Mounts.some((mount) => mount.Name === name))
          .length,
      },
    }));
  const unused = items.filter(({ UsageData }) => UsageData.RefCount === 0);
  return {
    count: items.length,
    active: items.length - unused.length,
    bytes: inChildren(usage),
    reclaimableBytes: unused.reduce((sum, { UsageData }) => sum + UsageData.Size, 0),
    items,
  };
}

function volumeLabels(paths: StorePaths, name: string): Record<string, string> {
  try {
    return readVolume(paths, name).Labels ?? {};
  } catch {
    return {};
  }
}
