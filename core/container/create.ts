/**
 * Creating a container: its record, its directory, its name.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import type { ResolvedImage } from "../image/resolve.ts";
import { DhowError } from "../errors.ts";
import { keptUser, type NestedIds, parseUsernsMode, type UsernsMode } from "../host/nested_ids.ts";
import { tell } from "../host/notice.ts";
import type { StorePaths } from "../host/paths.ts";
import { ensureUnpacked, findUnpacked } from "../image/ensure_unpacked.ts";
import { currentIdMap } from "../runtime/userns.ts";
import type { ContainerConfig, ContainerCreate, HostConfig } from "../spec/docker_api.ts";
import { explainDiskError } from "../store/disk_error.ts";
import { ensureLayout, leaseStore } from "../store/layout.ts";
import {
  forcedStorageDriver,
  readStorageChoice,
  type StorageDriver,
} from "../store/storage_driver.ts";
import { volumeData } from "../volume/volume.ts";
import { isLimited } from "./group_hints.ts";
import { assertSettings, completeHostConfig } from "./host_config.ts";
import { assertLinks, planNetworks } from "./create_networks.ts";
import { mayHaveDirectory } from "./image_directory.ts";
import { mergeConfig } from "./merge_config.ts";
import { type MountSources, type ResolvedMounts, resolveMountPoints } from "./mount_points.ts";
import { randomId } from "./names.ts";
import { assertName, assertNameFree, freeName, reserveOrRename } from "./reserve_name.ts";
import type { OwnIds } from "./own_ids.ts";
import {
  containerDirectory,
  type ContainerRecord,
  networkOwner,
  readRecord,
  writeRecord,
} from "./record.ts";

/**
 * Creates a container from `image`, unpacking what is missing of it.
 *
 * The container exists, whole, from the moment its directory has its name; if this throws there is none.
 *
 * @throws {DhowError} `conflict` if the name is taken; `invalid_argument` in docker's words.
 */
export async function createContainer(
  paths: StorePaths,
  image: ResolvedImage,
  request: ContainerCreate,
): Promise<ContainerRecord> {
  assertPlatform(request.platform, image);
  assertName(request.name);
  assertSettings(request.config, request.hostConfig);
  const { OomKillDisable, MemorySwappiness } = request.hostConfig;
  if (isLimited(request.hostConfig) || OomKillDisable || MemorySwappiness !== null) {
    const { assertLimits } = await lazy<typeof import("../cgroup/limits.ts")>(
      "../cgroup/limits.ts",
      import.meta.url,
    );
    assertLimits(request.hostConfig, navigator.hardwareConcurrency);
  }
  assertLinks(paths, request.hostConfig);
  const networks = await planNetworks(paths, request);
  using _lease = leaseStore(paths);
  const id = randomId();
  const config = mergeConfig(request.config, image.config);
  const hostConfig = completeHostConfig(request.hostConfig);
  Object.assign(config, hostNames(paths, id, config, hostConfig));
  config.Labels ??= {};
  const mode = parseUsernsMode(hostConfig.UsernsMode);
  using own = mode && await openOwnIds(paths, mode);
  const idMap = await ensureLayers(paths, image, own ?? currentIdMap(paths));
  if (mode?.kind === "keep-id") config.User ||= keptUser(mode);
  const storage = forcedStorageDriver() ?? readStorageChoice(paths)?.driver ??
    await measureDriver(paths);
  if (request.name !== undefined) assertNameFree(paths, request.name);
  const images = await mountedImages(paths, hostConfig, own ?? { name: idMap });
  const sources: MountSources = { paths, findImage: (name) => images.get(name)! };
  const record: ContainerRecord = {
    id,
    name: "",
    createdNs: String(BigInt(Date.now()) * 1_000_000n),
    image: {
      id: image.id,
      reference: image.reference,
      diffIds: image.diffIds,
      architecture: image.architecture,
      os: image.os,
    },
    config,
    hostConfig,
    mounts: [],
    anonymousVolumes: [],
    idMap,
    ...own && { nestedIds: own.ids },
    ...storage !== "overlay" && { storage },
  };
  const copyUp = placeWithVolumes(sources, record, {
    name: request.name,
    networks,
    ...own && { prepare: (directory) => own.giveToRoot(`${directory}/upper`) },
  });
  if (storage === "copy") {
    const { ensureWholeCopy } = await lazy<typeof import("./whole_copy.ts")>(
      "./whole_copy.ts",
      import.meta.url,
    );
    await ensureWholeCopy(paths, record, findUnpacked(paths, image.diffIds, idMap)!);
    own?.giveToRoot(`${containerDirectory(paths, id)}/upper`);
  }
  await fillVolumes(paths, record, copyUp, own);
  return record;
}

/** Gives new volumes what the image has at their place; most images have nothing there. */
async function fillVolumes(
  paths: StorePaths,
  record: ContainerRecord,
  volumes: ResolvedMounts["copyUp"],
  own: OwnIds | undefined,
): Promise<void> {
  if (volumes.length === 0) return;
  const layers = findUnpacked(paths, record.image.diffIds, record.idMap);
  const copyUp: ResolvedMounts["copyUp"] = [];
  for (const filled of volumes) {
    if (layers === undefined || mayHaveDirectory(layers, filled.target)) copyUp.push(filled);
    else own?.giveToRoot(volumeData(paths, filled.volume));
  }
  if (copyUp.length > 0) {
    const { copyUpVolumes } = await lazy<typeof import("./copy_up.ts")>(
      "./copy_up.ts",
      import.meta.url,
    );
    await copyUpVolumes(paths, record, copyUp);
  }
}

/**
 * Makes the container together with its volumes, without a pause: while they are held somebody may be waiting to remove
 * them. If there is to be no container its own volumes go too.
 *
 * @returns The volumes to fill.
 */
function placeWithVolumes(
  sources: MountSources,
  record: ContainerRecord,
  options: Parameters<typeof placeContainer>[2],
): ResolvedMounts["copyUp"] {
  const { paths } = sources;
  using resolved = resolveMountPoints(sources, record.config, record.hostConfig);
  const { mounts, anonymousVolumes, images, subpaths } = resolved;
  Object.assign(record, {
    mounts,
    anonymousVolumes,
    ...images.length > 0 && { images },
    ...Object.keys(subpaths).length > 0 && { subpaths },
  });
  try {
    placeContainer(paths, record, options);
  } catch (error) {
    resolved.undo();
    throw explainDiskError(`create a container in "${paths.root}"`, error);
  }
  return resolved.copyUp;
}

/** The images that `--mount type=image` names, unpacked. @throws {DhowError} Docker's word for one that is not there. */
async function mountedImages(
  paths: StorePaths,
  { Mounts }: HostConfig,
  mapping: { name: string; ids?: NestedIds },
): Promise<Map<string, ResolvedImage>> {
  const images = new Map<string, ResolvedImage>();
  for (const { Type, Source } of Mounts ?? []) {
    if (Type !== "image" || !Source) continue;
    const { resolveImage } = await lazy<typeof import("../image/resolve.ts")>(
      "../image/resolve.ts",
      import.meta.url,
    );
    try {
      const image = resolveImage(paths, Source);
      await ensureLayers(paths, image, mapping);
      images.set(Source, image);
    } catch (error) {
      if (!(error instanceof DhowError) || error.code !== "not_found") throw error;
      // Not "not found", by which the caller would know that the container's own image is to be pulled.
      throw new DhowError("conflict", error.message, { cause: error });
    }
  }
  return images;
}

/** In a store whose drivers nobody has measured on this kernel. */
async function measureDriver(paths: StorePaths): Promise<StorageDriver> {
  const { measureStorage } = await lazy<typeof import("./storage_choice.ts")>(
    "./storage_choice.ts",
    import.meta.url,
  );
  return (await measureStorage(paths)).driver;
}

async function openOwnIds(paths: StorePaths, mode: UsernsMode): Promise<OwnIds> {
  const { chooseOwnIds } = await lazy<typeof import("./own_ids.ts")>(
    "./own_ids.ts",
    import.meta.url,
  );
  return await chooseOwnIds(paths, mode);
}

/** @returns The mapping that the layers are unpacked for. */
async function ensureLayers(
  paths: StorePaths,
  image: ResolvedImage,
  mapping: { name: string; ids?: NestedIds },
): Promise<string> {
  const { name, ids } = mapping;
  if (findUnpacked(paths, image.diffIds, name) !== undefined) return name;
  const { openNamespaceWorker } = await lazy<typeof import("../image/namespace_worker.ts")>(
    "../image/namespace_worker.ts",
    import.meta.url,
  );
  using worker = await openNamespaceWorker(paths, undefined, ids && { name, ids });
  if (ids !== undefined) {
    tell(`dhow: Unpacking ${image.reference} once more, for other owners of its files (${name})`);
  }
  await ensureUnpacked(paths, image, worker);
  return worker.mapping;
}

function assertPlatform(wanted: string | undefined, image: ResolvedImage): void {
  if (wanted === undefined || wanted === "") return;
  const [os, architecture] = wanted.split("/");
  const isSame = os === image.os &&
    (architecture === undefined || architecture === image.architecture);
  if (isSame || architecture === undefined && os === image.architecture) return;
  throw new DhowError(
    "not_found",
    `image with reference ${image.reference} was found but does not provide the specified platform (${wanted})`,
  );
}

/** Who shares a network shares the names that others know it by. */
function hostNames(
  paths: StorePaths,
  id: string,
  { Hostname, Domainname }: ContainerConfig,
  { NetworkMode, UTSMode }: HostConfig,
): Pick<ContainerConfig, "Hostname" | "Domainname"> {
  const owner = networkOwner(paths, NetworkMode);
  if (owner !== undefined) {
    const { config } = readRecord(paths, owner);
    return { Hostname: config.Hostname, Domainname: config.Domainname };
  }
  if (Hostname !== "") return { Hostname, Domainname };
  const isHost = NetworkMode === "host" || UTSMode === "host";
  return { Hostname: isHost ? Deno.hostname() : id.slice(0, 12), Domainname };
}

function placeContainer(
  paths: StorePaths,
  record: ContainerRecord,
  { name, networks, prepare }: {
    name: string | undefined;
    networks: object | undefined;
    /** Last changes to its directory before it has its name. */
    prepare?: (directory: string) => void;
  },
): void {
  ensureLayout(paths);
  const temporary = `${paths.tmp}/container-${record.id}`;
  const directory = containerDirectory(paths, record.id);
  for (const path of [paths.tmp, paths.containers, paths.names]) makeDirectory(path);
  Deno.mkdirSync(temporary, { mode: 0o700 });
  for (const part of ["upper", "work", "rootfs"]) Deno.mkdirSync(`${temporary}/${part}`);
  Deno.chmodSync(`${temporary}/upper`, 0o755); // becomes the root directory's mode
  Deno.writeTextFileSync(`${temporary}/lock`, "", { mode: 0o600 });
  if (networks !== undefined) {
    Deno.writeTextFileSync(`${temporary}/networks.json`, JSON.stringify(networks), { mode: 0o600 });
  }
  record.name = name?.replace(/^\//, "") ?? freeName(paths);
  writeRecord(temporary, record);
  prepare?.(temporary);
  Deno.renameSync(temporary, directory);
  try {
    reserveOrRename(paths, record, name !== undefined);
  } catch (error) {
    Deno.removeSync(directory, { recursive: true });
    throw error;
  }
}

function makeDirectory(path: string): void {
  try {
    Deno.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}
