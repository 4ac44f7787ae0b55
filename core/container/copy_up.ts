/**
 * Filling new volumes with what the image has at their place, as docker does.
 *
 * The image is mounted and copied by a second dhow in the user namespace (`dhow __copy_up`).
 *
 * @module
 */
import { AT_FDCWD, close, O_DIRECTORY, O_PATH, O_RDONLY, openat } from "../../ffi/file.ts";
import { openat2, RESOLVE_IN_ROOT } from "../../ffi/file.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { mount, unshareMounts } from "../../ffi/mount.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { findUnpacked } from "../image/ensure_unpacked.ts";
import { copyTree } from "../layer/copy_tree.ts";
import { runInside } from "../runtime/inside.ts";
import { ensureUserNamespace } from "../runtime/userns.ts";
import { volumeData } from "../volume/volume.ts";
import { containerDirectory, type ContainerRecord } from "./record.ts";

/** What `dhow __copy_up` is to do. */
export interface CopyUpRequest {
  /** Where to mount the image: an empty directory. */
  mountpoint: string;
  /** What the names of `layers` are relative to. */
  base: string;
  /** Topmost first. */
  layers: string[];
  /** Directories of the image, and directories on the host to copy them into. */
  copies: { from: string; to: string }[];
}

/** Copies what the image of a new container has at `target` into each volume. */
export async function copyUpVolumes(
  paths: StorePaths,
  record: ContainerRecord,
  volumes: readonly { volume: string; target: string }[],
): Promise<void> {
  const layers = findUnpacked(paths, record.image.diffIds, record.idMap) ?? [];
  const request: CopyUpRequest = {
    mountpoint: `${containerDirectory(paths, record.id)}/rootfs`,
    base: `${paths.layers}/${record.idMap}/l`,
    layers: layers.map((layer) => layer.slice(layer.lastIndexOf("/") + 1)).reverse(),
    copies: volumes.map(({ volume, target }) => ({ from: target, to: volumeData(paths, volume) })),
  };
  using namespace = await ensureUserNamespace(paths);
  const { status, stdout } = await runInside(namespace, "__copy_up", [JSON.stringify(request)]);
  const answer = new TextDecoder().decode(stdout).trim();
  if (status.exitCode === 0) return;
  throw new DhowError("internal", `Cannot fill a new volume from the image: ${answer}`);
}

/**
 * Mounts the image for this thread alone and copies. What the image does not have stays empty.
 *
 * @throws {SyscallError} for what cannot be mounted or copied.
 */
export function copyUp({ mountpoint, base, layers, copies }: CopyUpRequest): void {
  const root = mountImage(mountpoint, base, layers);
  for (const { from, to } of copies) {
    const source = openInRoot(root, from);
    if (source === undefined) continue;
    const target = openat(AT_FDCWD, to, O_RDONLY | O_DIRECTORY);
    copyTree(source, target);
    close(source);
    close(target);
  }
  close(root);
}

function mountImage(mountpoint: string, base: string, layers: readonly string[]): number {
  const flags = O_PATH | O_DIRECTORY;
  // An overlay wants two layers at least.
  if (layers.length < 2) return openat(AT_FDCWD, `${base}/${layers[0] ?? "."}`, flags);
  unshareMounts();
  // Relative names keep many layers within the one page that mount(2) reads.
  Deno.chdir(base);
  const data = `lowerdir=${layers.join(":")},userxattr`;
  mount("overlay", mountpoint, { type: "overlay", data });
  return openat(AT_FDCWD, mountpoint, flags);
}

function openInRoot(root: number, path: string): number | undefined {
  try {
    return openat2(root, path, O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT);
  } catch (error) {
    if (error instanceof SyscallError && ["ENOENT", "ENOTDIR"].includes(error.code)) {
      return undefined;
    }
    throw error;
  }
}
