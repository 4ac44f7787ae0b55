/**
 * Filling new volumes with what the image has at their place, as docker does.
 *
 * The image is mounted and copied by a second dhow in the user namespace (`dhow __copy_up`).
 *
 * @module
 */
import { AT_FDCWD, close, fchown, O_DIRECTORY, O_RDONLY, openat } from "../../ffi/file.ts";
import { openat2, RESOLVE_IN_ROOT } from "../../ffi/file.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { DhowError } from "../errors.ts";
import { toShared } from "../host/nested_ids.ts";
import type { StorePaths } from "../host/paths.ts";
import { copyTree } from "../layer/copy_tree.ts";
import { runInside } from "../runtime/inside.ts";
import { ensureUserNamespace } from "../runtime/userns.ts";
import { volumeData } from "../volume/volume.ts";
import { layersOf } from "./container_layers.ts";
import { mountRoot, type StoppedRoot } from "./mount_root.ts";
import type { ContainerRecord } from "./record.ts";
import { stoppedRoot } from "./root_layers.ts";

/** What `dhow __copy_up` is to do. */
export interface CopyUpRequest {
  /** The container's root: the image's, since it has not run yet. */
  root: StoppedRoot;
  /** Directories of the image, and directories on the host to copy them into. */
  copies: { from: string; to: string }[];
  /** Whom the directories belong to where the image has none. @default this user */
  owner?: { uid: number; gid: number };
}

/** Copies what the image of a new container has at `target` into each volume. */
export async function copyUpVolumes(
  paths: StorePaths,
  record: ContainerRecord,
  volumes: readonly { volume: string; target: string }[],
): Promise<void> {
  const { nestedIds: ids } = record;
  const request: CopyUpRequest = {
    root: stoppedRoot(paths, record, await layersOf(paths, record)),
    copies: volumes.map(({ volume, target }) => ({ from: target, to: volumeData(paths, volume) })),
    ...ids && { owner: { uid: toShared(ids.uids, 0) ?? 0, gid: toShared(ids.gids, 0) ?? 0 } },
  };
  using namespace = await ensureUserNamespace(paths);
  const { status, stdout } = await runInside(namespace, "__copy_up", [JSON.stringify(request)]);
  const answer = new TextDecoder().decode(stdout).trim();
  if (status.exitCode === 0) return;
  throw new DhowError("internal", `Cannot fill a new volume from the image: ${answer}`);
}

/**
 * Mounts the root for this thread alone and copies. What the image does not have stays empty.
 *
 * @throws {SyscallError} for what cannot be mounted or copied.
 */
export function copyUp(request: CopyUpRequest): void {
  const root = mountRoot(request.root);
  for (const { from, to } of request.copies) {
    const source = openInRoot(root, from);
    const target = openat(AT_FDCWD, to, O_RDONLY | O_DIRECTORY);
    if (source !== undefined) {
      copyTree(source, target);
      close(source);
    } else if (request.owner !== undefined) {
      fchown(target, request.owner.uid, request.owner.gid);
    }
    close(target);
  }
  close(root);
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
