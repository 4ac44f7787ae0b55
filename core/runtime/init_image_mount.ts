/**
 * The part of a container's init program that mounts images, and parts of volumes and images.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import type { Value } from "../../ffi/program/builder.ts";
import type { SpecMount } from "../spec/runtime.ts";
import type { InitContext } from "./init_context.ts";

const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;

/**
 * Mounts an image's layers where the root will be, while nothing is there, and takes the mount away again as a
 * descriptor: so what is to be shown of it can be looked up in it.
 */
export function emitTakeImage(ctx: InitContext, mount: SpecMount, mountpoint: string): Value {
  const { base, names } = mount.layers!;
  const label = `mount the image at ${mount.destination}`;
  ctx.must("go to the layers", "chdir", [base]);
  if (names.length === 1) {
    ctx.must(label, "mount", [names[0]!, mountpoint, 0, C.MS_BIND, 0]);
  } else {
    const data = `lowerdir=${names.join(":")},userxattr`;
    ctx.must(label, "mount", ["overlay", mountpoint, "overlay", C.MS_RDONLY, data]);
  }
  ctx.must(label, "mount", [0, mountpoint, 0, C.MS_PRIVATE, 0]);
  const flags = C.O_PATH | C.O_CLOEXEC;
  const root = ctx.must(label, "openat", [C.AT_FDCWD, mountpoint, flags, 0]);
  const shown = mount.subpath === undefined ? root : emitOpenBelow(ctx, mount, root);
  const clone = OPEN_TREE_CLONE | C.O_CLOEXEC | C.AT_EMPTY_PATH;
  const tree = ctx.must(label, "open_tree", [shown, "", clone]);
  ctx.p.call("close", [root]);
  if (shown !== root) ctx.p.call("close", [shown]);
  ctx.must(label, "umount2", [mountpoint, C.MNT_DETACH]);
  return tree;
}

/** Attaches what {@linkcode emitTakeImage} has taken; it is to be made read-only then. */
export function emitPlaceImage(ctx: InitContext, { destination }: SpecMount, tree: Value): void {
  const label = `mount the image at ${destination}`;
  emitMakePlace(ctx, destination, tree);
  const args = [tree, "", C.AT_FDCWD, destination, MOVE_MOUNT_F_EMPTY_PATH];
  ctx.must(label, "move_mount", args);
  ctx.p.call("close", [tree]);
}

/** What the error of a subpath that cannot be opened is told by. */
export function subpathLabel({ subpath = "", destination }: SpecMount): string {
  return `open ${subpath} for ${destination}`;
}

/** Opens a mount's subpath below `directory`; a link that leads out is an error (`EXDEV`). */
export function emitOpenBelow(ctx: InitContext, mount: SpecMount, directory: Value): Value {
  // struct open_how
  const resolve = C.RESOLVE_BENEATH | C.RESOLVE_NO_MAGICLINKS;
  const how = ctx.p.words([C.O_PATH | C.O_CLOEXEC, 0, resolve]);
  return ctx.must(subpathLabel(mount), "openat2", [directory, mount.subpath!, how, 24]);
}

/** Makes an empty file or directory, as whatever `fd` is of, to mount it on. */
export function emitMakePlace(ctx: InitContext, path: string, fd: Value | number): void {
  const { p } = ctx;
  const isFile = p.label("a file"), over = p.label("place made");
  const flags = C.O_PATH | C.O_DIRECTORY | C.O_CLOEXEC;
  const directory = ctx.may("openat", [fd, ".", flags, 0]);
  p.jumpIf(directory, "<", 0, isFile);
  p.call("close", [directory]);
  ctx.makeDirectories(path);
  p.jump(over);
  p.place(isFile);
  ctx.makeFile(path);
  p.place(over);
}
