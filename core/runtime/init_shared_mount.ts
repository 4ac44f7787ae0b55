/**
 * The part of a container's init program that takes mounts of others: another container's /dev/shm or tmpfs, a root that
 * fuse-overlayfs serves.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import type { Value } from "../../ffi/program/builder.ts";
import type { Spec, SpecMount } from "../spec/runtime.ts";
import type { InitContext } from "./init_context.ts";
import type { Rootfs } from "./init_rootfs.ts";
import { SHARED_MOUNT } from "./mount_options.ts";

const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;

/** Visits other mount namespaces and takes clones of mounts there, while nothing is set up here yet. */
export function emitTakeMounts(
  ctx: InitContext,
  spec: Spec,
  rootfs: Rootfs,
): { taken: Map<SpecMount, Value>; root: Value | undefined } {
  const taken = new Map<SpecMount, Value>();
  const shared = spec.mounts.filter((mount) => mount.type === SHARED_MOUNT);
  if (shared.length === 0 && rootfs.taken === undefined) return { taken, root: undefined };
  const open = (path: string, flags: number) =>
    ctx.must(`open ${path}`, "openat", [C.AT_FDCWD, path, flags | C.O_CLOEXEC, 0]);
  const directory = open(".", C.O_PATH | C.O_DIRECTORY);
  const home = open("/proc/self/ns/mnt", C.O_RDONLY);
  const take = (label: string, namespacePath: string, path: string): Value => {
    const namespace = open(namespacePath, C.O_RDONLY);
    ctx.must(label, "setns", [namespace, C.CLONE_NEWNS]);
    const flags = OPEN_TREE_CLONE | C.O_CLOEXEC;
    const tree = ctx.must(label, "open_tree", [C.AT_FDCWD, path, flags]);
    ctx.must(label, "setns", [home, C.CLONE_NEWNS]);
    ctx.p.call("close", [namespace]);
    return tree;
  };
  for (const mount of shared) {
    const { destination } = mount;
    const label = `take ${destination} of the other container`;
    taken.set(mount, take(label, mount.source!, mount.subpath ?? destination));
  }
  const root = rootfs.taken === undefined
    ? undefined
    : take("take the root from fuse-overlayfs", rootfs.taken, rootfs.mountpoint);
  ctx.must("return from the other mounts", "fchdir", [directory]);
  ctx.p.call("close", [home]);
  ctx.p.call("close", [directory]);
  return { taken, root };
}

/** Attaches what {@linkcode emitTakeMounts} has taken. */
export function emitPlaceMount(
  ctx: InitContext,
  { destination, options = [] }: SpecMount,
  tree: Value,
): void {
  ctx.makeDirectories(destination);
  const label = `mount the other container's ${destination}`;
  ctx.must(label, "move_mount", [tree, "", C.AT_FDCWD, destination, MOVE_MOUNT_F_EMPTY_PATH]);
  ctx.p.call("close", [tree]);
  // Whether it may be written to is each container's own.
  const readOnly = [C.MOUNT_ATTR_RDONLY, 0, 0, 0], writable = [0, C.MOUNT_ATTR_RDONLY, 0, 0];
  const change = options.includes("ro") ? readOnly : options.includes("rw") ? writable : undefined;
  if (change === undefined) return;
  const args = [C.AT_FDCWD, destination, 0, ctx.p.words(change), 32];
  ctx.must(label, "mount_setattr", args);
}
