/**
 * Where a container's files are: the layers it stands on, and its own directory above them.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import type { StorePaths } from "../host/paths.ts";
import { ensureUnpacked, findUnpacked } from "../image/ensure_unpacked.ts";
import { containerDirectory, type ContainerRecord } from "./record.ts";

/** Absolute paths, as processes in the user namespace take them. */
export interface ContainerLayers {
  /** The layers' directories, the topmost first. */
  lowers: string[];
  /** What the container has written. */
  upper: string;
}

/** Finds them, and unpacks again what a power cut has damaged. */
export async function containerLayers(
  paths: StorePaths,
  record: ContainerRecord,
): Promise<ContainerLayers> {
  const layers = findUnpacked(paths, record.image.diffIds, record.idMap) ??
    await repairLayers(paths, record);
  return {
    lowers: layers.toReversed(),
    upper: `${containerDirectory(paths, record.id)}/upper`,
  };
}

async function repairLayers(paths: StorePaths, { image }: ContainerRecord): Promise<string[]> {
  const { openNamespaceWorker } = await lazy<typeof import("../image/namespace_worker.ts")>(
    "../image/namespace_worker.ts",
    import.meta.url,
  );
  using worker = await openNamespaceWorker(paths);
  return await ensureUnpacked(paths, image, worker);
}
