/**
 * How large a container's own changes are, and with its image.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { findUnpacked } from "../image/ensure_unpacked.ts";
import { containerDirectory, type ContainerRecord } from "./record.ts";

/** Bytes in regular files; what this user may not look into counts nothing. */
export function containerSize(
  paths: StorePaths,
  record: ContainerRecord,
): { rw: number; rootFs: number } {
  const rw = ownSize(paths, record.id);
  const layers = findUnpacked(paths, record.image.diffIds, record.idMap) ?? [];
  const image = layers.reduce((sum, layer) => sum + treeSize(Deno.realPathSync(layer)), 0);
  return { rw, rootFs: rw + image };
}

/** Bytes in the regular files that a container has written. */
export function ownSize(paths: StorePaths, id: string): number {
  return treeSize(`${containerDirectory(paths, id)}/upper`);
}

/** Bytes in the regular files below a directory, as far as this user may look. */
export function treeSize(directory: string): number {
  let bytes = 0;
  try {
    for (const entry of Deno.readDirSync(directory)) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory) bytes += treeSize(path);
      else if (entry.isFile) bytes += Deno.lstatSync(path).size;
    }
  } catch { /* owned by another id and closed to us */ }
  return bytes;
}
