/**
 * How a container's root is put together from its layers and its own directory.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import type { StoppedRoot } from "./mount_root.ts";
import { containerDirectory, type ContainerRecord } from "./record.ts";

/** With the names of `layers/MAPPING/l` so many fit into the page that mount(2) reads, with long paths beside them. */
const SHORT_ENOUGH = 150;

/**
 * Lower directories as an overlay mount takes them.
 *
 * @param layers Links of `layers/MAPPING/l`, lowest first.
 * @returns The names, the topmost first, and what they are relative to.
 */
export function lowerNames(
  paths: StorePaths,
  record: ContainerRecord,
  layers: readonly string[],
): { base: string; names: string[] } {
  const names = layers.map((layer) => layer.slice(layer.lastIndexOf("/") + 1)).reverse();
  const base = `${paths.layers}/${record.idMap}/l`;
  if (names.length <= SHORT_ENOUGH) return { base, names };
  return linkLayers(`${containerDirectory(paths, record.id)}/l`, base, names);
}

/** Still shorter names: links in the container's own directory, numbered. */
function linkLayers(
  directory: string,
  base: string,
  names: string[],
): { base: string; names: string[] } {
  try {
    Deno.mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const short = names.map((name, index) => {
    const link = index.toString(36);
    try {
      Deno.symlinkSync(`${base}/${name}`, `${directory}/${link}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    return link;
  });
  return { base: directory, names: short };
}

/** The root of a container that does not run. @param layers As {@linkcode lowerNames} takes them. */
export function stoppedRoot(
  paths: StorePaths,
  record: ContainerRecord,
  layers: readonly string[],
): StoppedRoot {
  const directory = containerDirectory(paths, record.id);
  const kind = record.storage ?? "overlay";
  if (kind === "copy") return { kind: "directory", path: `${directory}/upper` };
  const { base, names } = lowerNames(paths, record, layers);
  return {
    kind,
    base,
    layers: names,
    upper: `${directory}/upper`,
    work: `${directory}/work`,
    mountpoint: `${directory}/rootfs`,
  };
}
