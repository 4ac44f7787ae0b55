/**
 * What a container's spec depends on on this machine: its layers, other containers, devices.
 *
 * @module
 */
import { isDirectory, statIfThere } from "../host/stat.ts";
import { DhowError } from "../errors.ts";
import { composeIds } from "../host/nested_ids.ts";
import type { StorePaths } from "../host/paths.ts";
import { lastCapability } from "../runtime/last_capability.ts";
import { listHostDevices, resolveDevice } from "../runtime/devices.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import type { MountPoint } from "../spec/docker_api.ts";
import type { Namespace, Spec, SpecMount } from "../spec/runtime.ts";
import { chainIds, shortLayerName } from "../layer/chain_id.ts";
import { readVolume, volumeData } from "../volume/volume.ts";
import { type VolumeMount, volumeMount } from "../volume/volume_options.ts";
import { buildSpec } from "./create_spec.ts";
import { SHARED_MOUNT } from "../runtime/mount_options.ts";
import {
  containerDirectory,
  containerIds,
  type ContainerRecord,
  findContainer,
  networkOwner,
  readRecord,
} from "./record.ts";
import { readLayeredFile } from "./root_file.ts";
import { isRunning, readState } from "./state.ts";

/** A namespace to join instead of making one. */
export interface JoinedNamespace {
  type: Namespace["type"];
  path: string;
}

/**
 * Builds the spec of a container about to start.
 *
 * @param layers Directories of its layers, lowest first.
 * @returns The spec, and the namespaces of other containers to join; with those, their user namespace.
 */
export function containerSpec(
  paths: StorePaths,
  record: ContainerRecord,
  layers: readonly string[],
  namespace: UserNamespace,
): { spec: Spec; join: JoinedNamespace[] } {
  const directory = containerDirectory(paths, record.id);
  const roots = [`${directory}/upper`, ...layers.toReversed()];
  const owners = new Set<number>();
  const isHostFiles = hasOwnMountOf(record);
  // Who joins a network sees its owner's files.
  const owner = networkOwner(paths, record.hostConfig.NetworkMode) ?? record.id;
  const files = containerDirectory(paths, owner);
  const spec = buildSpec(record, {
    rootfs: "rootfs",
    files: {
      hosts: `${files}/hosts`,
      hostname: `${files}/hostname`,
      resolvConf: `${files}/resolv.conf`,
    },
    isDirectory,
    exists: (path) => statIfThere(path) !== undefined,
    readFile: (path) => readLayeredFile(roots, path),
    namespaceOf: (container, type) => {
      if (type === "ipc") assertShareable(paths, container);
      const pid = runningPid(paths, container);
      if (!hasOwnIds(paths, container)) owners.add(pid);
      return `/proc/${pid}/ns/${type === "network" ? "net" : type}`;
    },
    ...shmOwner(paths, record),
    resolveDevice,
    listHostDevices,
    lastCapability: lastCapability(),
    volumeMount: (point) => mountOfVolume(paths, record, point),
    subpathOf: (destination) => record.subpaths?.[destination],
    imageAt: (destination) => imageAt(paths, record, destination),
    ...record.hostConfig.Init && !isHostFiles && { initPath: `${directory}/init` },
  });
  const { nestedIds: own } = record, { uids, gids } = namespace.map;
  spec.linux.uidMappings = own === undefined ? uids : composeIds(uids, own.uids);
  spec.linux.gidMappings = own === undefined ? gids : composeIds(gids, own.gids);
  const join = spec.linux.namespaces.flatMap(({ type, path }) => path ? [{ type, path }] : []);
  // Namespaces can only be joined from the user namespace that owns them, or one above it.
  const [pid] = owners;
  if (pid !== undefined) join.unshift({ type: "user", path: `/proc/${pid}/ns/user` });
  return { spec, join };
}

function mountOfVolume(
  paths: StorePaths,
  record: ContainerRecord,
  { Type, Name }: MountPoint,
): VolumeMount | undefined {
  if (Type !== "volume" || Name === undefined) return undefined;
  const { Options } = readVolume(paths, Name);
  if (Options === null) return undefined;
  const exists = (path: string) => statIfThere(path) !== undefined;
  const mount = volumeMount(volumeData(paths, Name), Options, exists);
  return mount?.type === "tmpfs" ? takenFromAnother(paths, record, Name) ?? mount : mount;
}

/** A tmpfs is one for all containers that have it: who comes later takes it from who has it. */
function takenFromAnother(
  paths: StorePaths,
  { id, nestedIds }: ContainerRecord,
  volume: string,
): VolumeMount | undefined {
  if (nestedIds !== undefined) return undefined; // from its own namespace it cannot enter the others'
  for (const other of containerIds(paths)) {
    if (other === id) continue;
    const { mounts, nestedIds: ids } = readRecord(paths, other);
    const point = mounts.find(({ Type, Name }) => Type === "volume" && Name === volume);
    if (point === undefined || ids !== undefined) continue;
    const { status, pid } = readState(containerDirectory(paths, other));
    if (!isRunning(status)) continue;
    const source = `/proc/${pid}/ns/mnt`;
    return { type: SHARED_MOUNT, source, options: [], subpath: point.Destination };
  }
  return undefined;
}

function imageAt(
  paths: StorePaths,
  { images = [], idMap }: ContainerRecord,
  destination: string,
): Required<Pick<SpecMount, "layers">> & { subpath?: string } {
  const { diffIds, subpath } = images.find(({ target }) => target === destination)!;
  const names = chainIds(diffIds).map(shortLayerName).reverse();
  const layers = { base: `${paths.layers}/${idMap}/l`, names };
  return { layers, ...subpath !== undefined && { subpath } };
}

function hasOwnIds(paths: StorePaths, container: string): boolean {
  return readRecord(paths, findContainer(paths, container)).nestedIds !== undefined;
}

function hasOwnMountOf(record: ContainerRecord): boolean {
  return record.mounts.some((point) => point.Destination === "/sbin/docker-init");
}

function runningPid(paths: StorePaths, container: string): number {
  const id = findContainer(paths, container);
  const { status, pid } = readState(containerDirectory(paths, id));
  if (isRunning(status)) return pid;
  throw new DhowError(
    "conflict",
    `cannot join network namespace of a non running container: ${container}`,
  );
}

/** Where /dev/shm is to come from with `--ipc container:NAME`. */
function shmOwner(paths: StorePaths, { hostConfig }: ContainerRecord): { shmOf?: string } {
  if (!hostConfig.IpcMode.startsWith("container:")) return {};
  const pid = runningPid(paths, hostConfig.IpcMode.slice("container:".length));
  return { shmOf: `/proc/${pid}/ns/mnt` };
}

function assertShareable(paths: StorePaths, container: string): void {
  const { id, hostConfig } = readRecord(paths, findContainer(paths, container));
  if (!["private", "none"].includes(hostConfig.IpcMode)) return;
  throw new DhowError(
    "conflict",
    `failed to join IPC namespace: container ${id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  );
}
