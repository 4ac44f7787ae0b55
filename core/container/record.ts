/**
 * What lasts of a container: its record (`container.json`) and how it is found by name, id or prefix.
 *
 * A container is the directory `containers/<id>`, complete once renamed into place; its name is the symbolic link
 * `names/<name>`, which only one can make.
 *
 * @module
 */
import { namesIn } from "../host/names_in.ts";
import { isThere } from "../host/stat.ts";
import { DhowError, noSuchContainer } from "../errors.ts";
import type { NestedIds } from "../host/nested_ids.ts";
import type { StorePaths } from "../host/paths.ts";
import type { ContainerConfig, HostConfig, MountPoint } from "../spec/docker_api.ts";
import type { StorageDriver } from "../store/storage_driver.ts";

/** An image that a container mounts. */
export interface ImageMount {
  target: string;
  /** What of it; all where it is absent. */
  subpath?: string;
  /** `sha256:...`. */
  id: string;
  /** Lowest first. */
  diffIds: string[];
}

/** `containers/<id>/container.json`. */
export interface ContainerRecord {
  /** 64 hex digits. */
  id: string;
  /** Without a slash. */
  name: string;
  /** Unix nanoseconds, as decimal digits. */
  createdNs: string;
  image: {
    /** `sha256:...`. */
    id: string;
    /** As the user wrote it. */
    reference: string;
    /** Lowest first. */
    diffIds: string[];
    architecture: string;
    os: string;
  };
  /** The image's settings merged with the user's. */
  config: ContainerConfig;
  hostConfig: HostConfig;
  /** Resolved binds and volumes. */
  mounts: MountPoint[];
  /** Images among `mounts`. @default none */
  images?: ImageMount[];
  /** What of a volume is mounted, by destination, where that is not all of it. @default none */
  subpaths?: Record<string, string>;
  /** Names of volumes made for this container alone: removed with it by `rm -v` and `--rm`. */
  anonymousVolumes: string[];
  /** Name of the id mapping its layers are unpacked for. */
  idMap: string;
  /** Which ids of the shared user namespace it has in one of its own. @default it has none of its own */
  nestedIds?: NestedIds;
  /** How its root is made. @default "overlay" */
  storage?: StorageDriver;
}

const ID = /^[0-9a-f]{64}$/;
const PREFIX = /^[0-9a-f]{1,64}$/;

/** The directory of container `id`. */
export function containerDirectory(paths: StorePaths, id: string): string {
  return `${paths.containers}/${id}`;
}

/** The mapping of a container with a user namespace of its own. */
export function nestedMapping(
  { idMap, nestedIds }: Pick<ContainerRecord, "idMap" | "nestedIds">,
): { name: string; ids: NestedIds } | undefined {
  return nestedIds && { name: idMap, ids: nestedIds };
}

/** Docker's grammar of container names. */
export function isContainerName(name: string): boolean {
  return /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name);
}

/**
 * The id of the container that `name` (a name, an id, or the unique beginning of an id) means.
 *
 * @throws {DhowError} `not_found`, or `invalid_argument` if several ids begin like that.
 */
export function findContainer(paths: StorePaths, name: string): string {
  const plain = name.startsWith("/") ? name.slice(1) : name;
  if (ID.test(plain) && isThere(containerDirectory(paths, plain))) return plain;
  const named = isContainerName(plain) ? idOfName(paths, plain) : undefined;
  if (named !== undefined) return named;
  const found = PREFIX.test(plain) ? containerIds(paths).filter((id) => id.startsWith(plain)) : [];
  if (found.length > 1) {
    throw new DhowError("invalid_argument", `multiple IDs found with provided prefix: ${plain}`);
  }
  const id = found[0] ?? containerIds(paths).find((id) => recordedName(paths, id) === plain);
  if (id === undefined) throw noSuchContainer(name);
  return id;
}

/** The name in a record: its link may be missing, where a process was killed between the two. */
function recordedName(paths: StorePaths, id: string): string | undefined {
  try {
    return readRecord(paths, id).name;
  } catch {
    return undefined; // removed meanwhile
  }
}

/**
 * The id of the container whose network `mode` joins: `container:web`; undefined for other modes.
 *
 * @throws {DhowError} `not_found`, in docker's words.
 */
export function networkOwner(paths: StorePaths, mode: string): string | undefined {
  if (!mode.startsWith("container:")) return undefined;
  try {
    return findContainer(paths, mode.slice("container:".length));
  } catch (cause) {
    if (!(cause instanceof DhowError)) throw cause;
    const message = `joining network namespace of container: ${cause.message}`;
    throw new DhowError(cause.code, message, { cause });
  }
}

/** The id of the container called `name`, if there is one. */
export function idOfName(paths: StorePaths, name: string): string | undefined {
  let target: string;
  try {
    target = Deno.readLinkSync(`${paths.names}/${name}`);
  } catch {
    return undefined;
  }
  const id = target.slice(target.lastIndexOf("/") + 1);
  return isThere(containerDirectory(paths, id)) ? id : undefined;
}

/** All ids, in no order. */
export function containerIds(paths: StorePaths): string[] {
  return namesIn(paths.containers).filter((name) => ID.test(name));
}

/** Reads a record. @throws {DhowError} `not_found` if the container has been removed. */
export function readRecord(paths: StorePaths, id: string): ContainerRecord {
  try {
    const text = Deno.readTextFileSync(`${containerDirectory(paths, id)}/container.json`);
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw noSuchContainer(id);
    throw new DhowError("internal", `Cannot read the record of container ${id}: ${cause}`, {
      cause,
    });
  }
}

/** Replaces a record at once. */
export function writeRecord(directory: string, record: ContainerRecord): void {
  replaceFile(`${directory}/container.json`, JSON.stringify(record));
}

/** Replaces a file at once: readers see the old or the new content. */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${Deno.pid}.new`;
  Deno.writeTextFileSync(temporary, text, { mode: 0o600 });
  Deno.renameSync(temporary, path);
}
