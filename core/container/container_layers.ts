/**
 * Where a container's files are: the layers it stands on, and its own directory above them.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import type { StorePaths } from "../host/paths.ts";
import { ensureUnpacked, findUnpacked } from "../image/ensure_unpacked.ts";
import { containerDirectory, type ContainerRecord, nestedMapping } from "./record.ts";

/** Absolute paths, as processes in the user namespace take them. */
export interface ContainerLayers {
  /** The layers' directories, the topmost first. */
  lowers: string[];
  /** What the container has written; or everything. */
  upper: string;
  /** Whether it is everything. */
  isWhole: boolean;
}

/** Finds them, and unpacks again what a power cut has damaged. */
export async function containerLayers(
  paths: StorePaths,
  record: ContainerRecord,
): Promise<ContainerLayers> {
  const layers = await layersOf(paths, record);
  return {
    lowers: layers.toReversed(),
    upper: `${containerDirectory(paths, record.id)}/upper`,
    isWhole: record.storage === "copy",
  };
}

/** The directories of its layers, lowest first; and its root, where that is a copy of them, is complete. */
export async function layersOf(paths: StorePaths, record: ContainerRecord): Promise<string[]> {
  const layers = findUnpacked(paths, record.image.diffIds, record.idMap) ??
    await repairLayers(paths, record);
  if (record.storage === "copy") {
    const { ensureWholeCopy } = await lazy<typeof import("./whole_copy.ts")>(
      "./whole_copy.ts",
      import.meta.url,
    );
    await ensureWholeCopy(paths, record, layers);
  }
  return layers;
}

async function repairLayers(paths: StorePaths, record: ContainerRecord): Promise<string[]> {
  const { openNamespaceWorker } = await lazy<typeof import("../image/namespace_worker.ts")>(
    "../image/namespace_worker.ts",
    import.meta.url,
  );
  using worker = await openNamespaceWorker(paths, undefined, nestedMapping(record));
  return await ensureUnpacked(paths, record.image, worker);
}
