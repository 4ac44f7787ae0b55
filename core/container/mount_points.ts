/**
 * From `-v`, `--mount`, `--volumes-from` and the image's VOLUMEs to the container's list of mount points, with the
 * volumes made and missing host directories created, as docker does.
 *
 * @module
 */
import { statIfThere } from "../host/stat.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import type { ContainerConfig, HostConfig, MountPoint, MountSpec } from "../spec/docker_api.ts";
import { assertMountSpec, parseBind, parseVolumesFrom } from "../volume/mount_spec.ts";
import { ensureVolume, volumeData } from "../volume/volume.ts";
import { randomId } from "./names.ts";
import { findContainer, readRecord } from "./record.ts";

/** What {@linkcode resolveMountPoints} found and made. */
export interface ResolvedMounts {
  mounts: MountPoint[];
  /** Volumes made for this container alone. */
  anonymousVolumes: string[];
  /** New volumes to fill with what the image has at their target. */
  copyUp: { volume: string; target: string }[];
}

/**
 * Resolves every mount of a container to be. Later sources win a destination: volumes-from, binds, mounts, image.
 *
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export function resolveMountPoints(
  paths: StorePaths,
  config: ContainerConfig,
  hostConfig: HostConfig,
): ResolvedMounts {
  const result: ResolvedMounts = { mounts: [], anonymousVolumes: [], copyUp: [] };
  const points = new Map<string, MountPoint>();
  const explicit = new Set<string>(Object.keys(hostConfig.Tmpfs ?? {}));
  for (const from of hostConfig.VolumesFrom ?? []) {
    for (const point of volumesFrom(paths, from)) points.set(point.Destination, point);
  }
  const specs: (MountSpec & { mode?: string })[] = [
    ...(hostConfig.Binds ?? []).map(parseBind),
    ...hostConfig.Mounts ?? [],
  ];
  for (const spec of specs) {
    assertMountSpec(spec);
    const target = cleanTarget(spec.Target);
    if (explicit.has(target)) throw duplicate(target);
    explicit.add(target);
    if (spec.Type === "tmpfs") continue;
    points.set(target, resolveSpec(paths, spec, target, result));
  }
  for (const volume of Object.keys(config.Volumes ?? {})) {
    const target = cleanTarget(volume);
    if (explicit.has(target) || points.has(target)) continue;
    points.set(target, anonymous(paths, target, result, {}));
  }
  result.mounts = [...points.values()];
  return result;
}

function duplicate(target: string): DhowError {
  return new DhowError("invalid_argument", `Duplicate mount point: ${target}`);
}

/** Without `.`, `..`, doubled and final slashes. */
function cleanTarget(target: string): string {
  const parts: string[] = [];
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return "/" + parts.join("/");
}

function resolveSpec(
  paths: StorePaths,
  spec: MountSpec & { mode?: string },
  target: string,
  result: ResolvedMounts,
): MountPoint {
  switch (spec.Type) {
    case "bind":
      return resolveBind(spec, target);
    case "volume":
      return resolveVolume(paths, spec, target, result);
    default:
      throw new DhowError(
        "unsupported",
        `Cannot mount ${target}: --mount type=${spec.Type} is not supported yet`,
      );
  }
}

function resolveBind(spec: MountSpec & { mode?: string }, target: string): MountPoint {
  const source = spec.Source!;
  if (statIfThere(source) === undefined) {
    // `-v` makes a missing directory, `--mount` refuses.
    if (spec.mode === undefined && !spec.BindOptions?.CreateMountpoint) {
      throw new DhowError(
        "invalid_argument",
        `invalid mount config for type "bind": bind source path does not exist: ${source}`,
      );
    }
    try {
      Deno.mkdirSync(source, { recursive: true, mode: 0o755 });
    } catch (cause) {
      throw new DhowError(
        "invalid_argument",
        `error while creating mount source path '${source}': ${(cause as Error).message}`,
        { cause },
      );
    }
  }
  return {
    Type: "bind",
    Source: source,
    Destination: target,
    Mode: spec.mode ?? "",
    RW: !spec.ReadOnly,
    Propagation: spec.BindOptions?.Propagation ?? "rprivate",
  };
}

function resolveVolume(
  paths: StorePaths,
  spec: MountSpec & { mode?: string },
  target: string,
  result: ResolvedMounts,
): MountPoint {
  const labels = spec.VolumeOptions?.Labels ?? {};
  if (spec.Source === undefined || spec.Source === "") {
    return anonymous(paths, target, result, { labels, spec });
  }
  if (spec.VolumeOptions?.Subpath) {
    throw new DhowError(
      "unsupported",
      "Cannot mount a volume: volume-subpath is not supported yet",
    );
  }
  const isNew = ensureVolume(paths, spec.Source, { labels });
  const isEmpty = isNew || isEmptyDirectory(volumeData(paths, spec.Source));
  if (isEmpty && !spec.VolumeOptions?.NoCopy) result.copyUp.push({ volume: spec.Source, target });
  return volumePoint(paths, spec.Source, target, spec);
}

function anonymous(
  paths: StorePaths,
  target: string,
  result: ResolvedMounts,
  { labels = {}, spec }: { labels?: Record<string, string>; spec?: MountSpec & { mode?: string } },
): MountPoint {
  const name = randomId();
  const marked = { ...labels, "com.docker.volume.anonymous": "" };
  ensureVolume(paths, name, { labels: marked, anonymous: true });
  result.anonymousVolumes.push(name);
  if (!spec?.VolumeOptions?.NoCopy) result.copyUp.push({ volume: name, target });
  return volumePoint(paths, name, target, spec);
}

function volumePoint(
  paths: StorePaths,
  name: string,
  target: string,
  spec?: MountSpec & { mode?: string },
): MountPoint {
  return {
    Type: "volume",
    Name: name,
    Source: volumeData(paths, name),
    Destination: target,
    Driver: "local",
    Mode: spec === undefined ? "" : spec.mode ?? "z",
    RW: !spec?.ReadOnly,
    Propagation: spec?.BindOptions?.Propagation ?? "",
  };
}

function volumesFrom(paths: StorePaths, spec: string): MountPoint[] {
  const { container, mode } = parseVolumesFrom(spec);
  const { mounts } = readRecord(paths, findContainer(paths, container));
  const readOnly = mode.split(",").includes("ro");
  return mounts.map((point) => ({ ...point, RW: point.RW && !readOnly }));
}

function isEmptyDirectory(path: string): boolean {
  try {
    for (const _ of Deno.readDirSync(path)) return false;
    return true;
  } catch {
    return false; // not ours to read: somebody filled it
  }
}
