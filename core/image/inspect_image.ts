/**
 * What `docker image inspect` shows.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { chainIds } from "../layer/chain_id.ts";
import { familiarReference, parseReference } from "../lib/reference.ts";
import type { ImageInspect } from "../spec/docker_api.ts";
import type { ImageConfig, ImageRunConfig } from "../spec/image.ts";
import { linksOf } from "./ensure_unpacked.ts";
import { findImage } from "./resolve.ts";
import { readConfig, readManifest, type StoredImage } from "./stored_image.ts";

/** What Go writes for a time that was never set. */
const NO_TIME = "0001-01-01T00:00:00Z";

/**
 * Describes an image in docker's shape.
 *
 * @param mapping Name of the id mapping whose directories `GraphDriver` shows.
 * @throws {DhowError} `not_found`.
 */
export function inspectImage(paths: StorePaths, name: string, mapping: string): ImageInspect {
  const image = findImage(paths, name);
  const config = readConfig(paths, image.id);
  return {
    Id: image.id,
    RepoTags: shownReferences(image),
    RepoDigests: shownDigests(image),
    Parent: "",
    Comment: config.comment ?? config.history?.at(-1)?.comment ?? "",
    Created: config.created ?? NO_TIME,
    DockerVersion: config.docker_version ?? "",
    Author: config.author ?? "",
    Architecture: config.architecture,
    ...(config.variant && { Variant: config.variant }),
    Os: config.os,
    Size: imageSize(paths, image),
    GraphDriver: graphDriver(paths, config, mapping),
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: image.taggedAt ?? NO_TIME },
    Config: inspectedConfig(config.config ?? {}),
  };
}

/** The image's names as docker shows them, sorted. */
export function shownReferences(image: StoredImage): string[] {
  return image.references.map((text) => familiarReference(parseReference(text))).sort();
}

/** Where registries have it, as docker shows that: `busybox@sha256:...`, sorted. */
export function shownDigests(image: StoredImage): string[] {
  return image.repoDigests.map((text) => familiarReference(parseReference(text))).sort();
}

/** Bytes unpacked; of an image that another tool put here, bytes of its blobs. */
export function imageSize(paths: StorePaths, image: StoredImage): number {
  if (image.sizeBytes !== undefined) return image.sizeBytes;
  try {
    return readManifest(paths, image.manifest).layers.reduce((sum, layer) => sum + layer.size, 0);
  } catch {
    return 0;
  }
}

function graphDriver(
  paths: StorePaths,
  config: ImageConfig,
  mapping: string,
): ImageInspect["GraphDriver"] {
  const directories = linksOf(paths, chainIds(config.rootfs.diff_ids), mapping)?.reverse();
  if (directories === undefined || directories.length === 0) {
    return { Data: null, Name: "overlay2" };
  }
  const [upper, ...lower] = directories as [string, ...string[]];
  return {
    Data: {
      ...(lower.length > 0 && { LowerDir: lower.join(":") }),
      UpperDir: upper,
    },
    Name: "overlay2",
  };
}

/** The fields docker always shows, and those that are set; in the order of their names. */
function inspectedConfig(config: ImageRunConfig): Record<string, unknown> {
  const shown: Record<string, unknown> = {
    ArgsEscaped: config.ArgsEscaped,
    Cmd: config.Cmd ?? null,
    Entrypoint: config.Entrypoint ?? null,
    Env: config.Env ?? null,
    ExposedPorts: sorted(config.ExposedPorts),
    Healthcheck: config.Healthcheck,
    Labels: sorted(config.Labels) ?? null,
    OnBuild: config.OnBuild ?? null,
    Shell: config.Shell,
    StopSignal: config.StopSignal,
    StopTimeout: config.StopTimeout,
    User: config.User ?? "",
    Volumes: sorted(config.Volumes) ?? null,
    WorkingDir: config.WorkingDir ?? "",
  };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined));
}

/** As Go writes a map. */
function sorted<T>(map: Record<string, T> | null | undefined): Record<string, T> | undefined {
  if (!map) return undefined;
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => a < b ? -1 : 1));
}
