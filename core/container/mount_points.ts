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
import { ANONYMOUS_LABEL, holdVolume, readVolume, volumeData } from "../volume/volume.ts";
import { volumeMount } from "../volume/volume_options.ts";
import { randomId } from "./names.ts";
import { findContainer, type ImageMount, readRecord } from "./record.ts";

/** What mounts are made of beside the container's settings. */
export interface MountSources {
  paths: StorePaths;
  /** Finds an image for `--mount type=image`. @throws {DhowError} `not_found`. */
  findImage: (name: string) => Pick<ImageMount, "id" | "diffIds">;
}

/**
 * What {@linkcode resolveMountPoints} found and made. Until this is disposed nobody removes the volumes: then the
 * container's record must name them.
 */
export interface ResolvedMounts extends Disposable {
  mounts: MountPoint[];
  images: ImageMount[];
  /** What of a volume is mounted, by target, where that is not all of it. */
  subpaths: Record<string, string>;
  /** Volumes made for this container alone. */
  anonymousVolumes: string[];
  /** New volumes to fill with what the image has at their target. */
  copyUp: { volume: string; target: string }[];
  /** Removes what was made for this container alone: it is not to be. */
  undo(): void;
}

/**
 * Resolves every mount of a container to be. Later sources win a destination: volumes-from, binds, mounts, image.
 *
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export function resolveMountPoints(
  sources: MountSources,
  config: ContainerConfig,
  hostConfig: HostConfig,
): ResolvedMounts {
  const resolver = new Resolver(sources);
  try {
    resolver.resolve(config, hostConfig);
    return resolver;
  } catch (error) {
    resolver.undo();
    resolver[Symbol.dispose]();
    throw error;
  }
}

type ParsedSpec = MountSpec & { mode?: string };

class Resolver implements ResolvedMounts {
  mounts: MountPoint[] = [];
  readonly images: ImageMount[] = [];
  readonly subpaths: Record<string, string> = {};
  readonly anonymousVolumes: string[] = [];
  readonly copyUp: ResolvedMounts["copyUp"] = [];
  readonly #sources: MountSources;
  readonly #holds = new DisposableStack();

  constructor(sources: MountSources) {
    this.#sources = sources;
  }

  get #paths(): StorePaths {
    return this.#sources.paths;
  }

  [Symbol.dispose](): void {
    this.#holds[Symbol.dispose]();
  }

  undo(): void {
    for (const name of this.anonymousVolumes) {
      try {
        Deno.removeSync(`${this.#paths.volumes}/${name}`, { recursive: true });
      } catch { /* what went wrong first is said */ }
    }
  }

  resolve(config: ContainerConfig, hostConfig: HostConfig): void {
    const points = new Map<string, MountPoint>();
    const explicit = new Set<string>(Object.keys(hostConfig.Tmpfs ?? {}));
    for (const from of hostConfig.VolumesFrom ?? []) {
      for (const point of this.#volumesFrom(from)) points.set(point.Destination, point);
    }
    const specs: ParsedSpec[] = [
      ...(hostConfig.Binds ?? []).map(parseBind),
      ...hostConfig.Mounts ?? [],
    ];
    // Whatever is wrong is said before anything is made.
    for (const spec of specs) {
      assertMountSpec(spec);
      const target = cleanTarget(spec.Target);
      if (explicit.has(target)) throw duplicate(target);
      explicit.add(target);
    }
    for (const spec of specs) {
      if (spec.Type === "tmpfs") continue;
      const target = cleanTarget(spec.Target);
      points.set(target, this.#resolve(spec, target, hostConfig.VolumeDriver));
    }
    for (const volume of Object.keys(config.Volumes ?? {})) {
      const target = cleanTarget(volume);
      if (explicit.has(target) || points.has(target)) continue;
      points.set(target, this.#anonymous(target, { Type: "volume", Target: target, mode: "" }));
    }
    this.mounts = [...points.values()];
  }

  #resolve(spec: ParsedSpec, target: string, driver: string): MountPoint {
    switch (spec.Type) {
      case "bind":
        return resolveBind(spec, target);
      case "volume":
        return this.#volume(spec, target, driver);
      default:
        return this.#image(spec, target);
    }
  }

  #volume(spec: ParsedSpec, target: string, driver: string): MountPoint {
    const name = spec.Source ?? "";
    if (name === "") return this.#anonymous(target, spec);
    const isNew = this.#hold(spec, name, spec.VolumeOptions?.Labels ?? null, driver);
    const isEmpty = isNew || isEmptyDirectory(volumeData(this.#paths, name));
    const { NoCopy, Subpath } = spec.VolumeOptions ?? {};
    if (Subpath) this.subpaths[target] = Subpath;
    if (isEmpty && !NoCopy && !Subpath && !hasOptions(this.#paths, name)) {
      this.copyUp.push({ volume: name, target });
    }
    return volumePoint(this.#paths, name, target, spec);
  }

  #anonymous(target: string, spec: ParsedSpec): MountPoint {
    const name = randomId();
    const labels = { ...spec.VolumeOptions?.Labels, [ANONYMOUS_LABEL]: "" };
    this.#hold(spec, name, labels, "");
    this.anonymousVolumes.push(name);
    if (!spec.VolumeOptions?.NoCopy && !spec.VolumeOptions?.DriverConfig?.Options) {
      this.copyUp.push({ volume: name, target });
    }
    return volumePoint(this.#paths, name, target, spec);
  }

  #hold(
    { VolumeOptions }: ParsedSpec,
    name: string,
    labels: Record<string, string> | null,
    driver: string,
  ): boolean {
    const { Name = driver, Options = null } = VolumeOptions?.DriverConfig ?? {};
    const made = holdVolume(this.#paths, name, { labels, options: Options, driver: Name });
    this.#holds.use(made.hold);
    return made.isNew;
  }

  #image(spec: ParsedSpec, target: string): MountPoint {
    const { id, diffIds } = this.#sources.findImage(spec.Source!);
    const subpath = spec.ImageOptions?.Subpath;
    this.images.push({ target, id, diffIds, ...subpath && { subpath } });
    return {
      Type: "image",
      Name: spec.Source!,
      Source: "",
      Destination: target,
      Mode: "",
      RW: false,
      Propagation: "rprivate",
    };
  }

  #volumesFrom(spec: string): MountPoint[] {
    const { container, mode } = parseVolumesFrom(spec);
    const { mounts, images = [], subpaths = {} } = readRecord(
      this.#paths,
      findContainer(this.#paths, container),
    );
    const readOnly = mode.split(",").includes("ro");
    for (const { Type, Name, Destination } of mounts) {
      if (Type === "volume" && Name) this.#holds.use(holdVolume(this.#paths, Name).hold);
      const image = images.find(({ target }) => target === Destination);
      if (image !== undefined) this.images.push(image);
      const subpath = subpaths[Destination];
      if (subpath !== undefined) this.subpaths[Destination] = subpath;
    }
    return mounts.map((point) => ({ ...point, RW: point.RW && !readOnly }));
  }
}

/** Whether something else is mounted in the place of its directory; what cannot be mounted is an error now. */
function hasOptions(paths: StorePaths, name: string): boolean {
  const { Options } = readVolume(paths, name);
  return Options !== null &&
    volumeMount(volumeData(paths, name), Options, () => true) !== undefined;
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

function resolveBind(spec: ParsedSpec, target: string): MountPoint {
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

function volumePoint(
  paths: StorePaths,
  name: string,
  target: string,
  spec: ParsedSpec,
): MountPoint {
  return {
    Type: "volume",
    Name: name,
    Source: volumeData(paths, name),
    Destination: target,
    Driver: "local",
    Mode: spec.mode ?? "z",
    RW: !spec.ReadOnly,
    Propagation: spec.BindOptions?.Propagation ?? "",
  };
}

function isEmptyDirectory(path: string): boolean {
  try {
    for (const _ of Deno.readDirSync(path)) return false;
    return true;
  } catch {
    return false; // not ours to read: somebody filled it
  }
}
