/**
 * The part of a container's init program that makes its file system: overlay, mounts, /dev, masked paths, pivot_root.
 *
 * The order makes string paths safe: the program enters the new root first and resolves every path of the container
 * there, where no symbolic link leads out. The old root stays the working directory until the mounts are made, so that
 * sources are relative paths from it or descriptors opened before; then it is detached.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { ERRNO } from "../../ffi/errno.ts";
import type { Value } from "../../ffi/program/builder.ts";
import type { Device, Spec, SpecMount } from "../spec/runtime.ts";
import type { InitContext } from "./init_context.ts";
import { emitFileMount } from "./init_file_mount.ts";
import { emitMakePlace, emitOpenBelow, emitPlaceImage, emitTakeImage } from "./init_image_mount.ts";
import { FILE_MOUNT, IMAGE_MOUNT, type MountOptions, parseMountOptions } from "./mount_options.ts";
import { emitKeepProc } from "./init_proc_guard.ts";
import { emitPlaceMount, emitTakeMounts } from "./init_shared_mount.ts";

/** How the root file system comes to be. */
export interface Rootfs {
  /** Where to mount it: an empty directory. */
  mountpoint: string;
  /** Overlay: what `lowerdir` names are relative to, the names from the topmost layer down, upper and work directories. */
  overlay?: { base: string; lower: string[]; upper: string; work: string };
  /** A ready directory to bind instead. */
  directory?: string;
  /** Or a mount namespace (the path of its file) in which it is mounted there. */
  taken?: string;
  /** Or a descriptor of a mount that is attached nowhere. */
  tree?: number;
  /** The user namespace is the container's own, whose root is somebody else than the caller. */
  becomeRoot?: boolean;
}

/** A bind mount whose source is opened before the root changes, at a known descriptor number. */
interface OpenedSource {
  mount: SpecMount;
  fd: number;
}

const MOVE_MOUNT_F_EMPTY_PATH = 4;

const DEVICE_LINKS: [string, string][] = [
  ["/proc/self/fd", "/dev/fd"],
  ["/proc/self/fd/0", "/dev/stdin"],
  ["/proc/self/fd/1", "/dev/stdout"],
  ["/proc/self/fd/2", "/dev/stderr"],
  ["pts/ptmx", "/dev/ptmx"],
];

/**
 * Adds the ops that make the root file system and enter it. Ends with the working directory at the new root and no
 * descriptor of the old one left.
 *
 * @param firstFd Descriptor numbers from here on are free for the program.
 */
export function emitRootfs(
  ctx: InitContext,
  spec: Spec,
  rootfs: Rootfs,
  firstFd: number,
): void {
  const { taken, root } = emitTakeMounts(ctx, spec, rootfs);
  emitSeparateMounts(ctx, spec);
  for (const mount of spec.mounts) {
    if (mount.type === IMAGE_MOUNT) taken.set(mount, emitTakeImage(ctx, mount, rootfs.mountpoint));
  }
  emitRootMount(ctx, rootfs, root);
  const sources = emitOpenSources(ctx, spec, firstFd);
  const oldRoot = ctx.must("open the old root", "openat", [
    C.AT_FDCWD,
    "/",
    C.O_PATH | C.O_DIRECTORY | C.O_CLOEXEC,
    0,
  ]);
  ctx.must("enter the new root", "chdir", [rootfs.mountpoint]);
  ctx.must("change the root", "pivot_root", [".", "."]);
  ctx.must("keep the old root at hand", "fchdir", [oldRoot]);
  if (rootfs.becomeRoot) emitBecomeRoot(ctx, spec);

  for (const mount of spec.mounts) {
    const tree = taken.get(mount);
    if (mount.isAsked) emitKeepProc(ctx, mount);
    if (mount.type === FILE_MOUNT) emitFileMount(ctx, mount, spec.mounts.indexOf(mount));
    else if (tree === undefined) emitMount(ctx, mount, sources);
    else if (mount.type === IMAGE_MOUNT) {
      emitPlaceImage(ctx, mount, tree);
      const { destination } = mount;
      emitSetReadOnly(ctx, `make ${destination} read-only`, destination, 0, C.AT_RECURSIVE);
    } else emitPlaceMount(ctx, mount, tree);
  }
  emitDevices(ctx, spec);
  emitSysctls(ctx, spec);
  for (const path of spec.linux.readonlyPaths ?? []) emitReadOnlyPath(ctx, path);
  for (const path of spec.linux.maskedPaths ?? []) emitMaskedPath(ctx, path);
  if (spec.root.readonly) emitSetReadOnly(ctx, "make the root read-only", "/", 0, 0);

  ctx.must("detach the old root", "umount2", [".", C.MNT_DETACH]);
  ctx.p.call("close", [oldRoot]);
  for (const { fd } of sources) ctx.p.call("close", [fd]);
  ctx.must("go to the new root", "chdir", ["/"]);
}

function emitSeparateMounts(ctx: InitContext, spec: Spec): void {
  const wantsPropagation = spec.mounts.some((mount) =>
    (parseMountOptions(mount.options ?? []).propagation & (C.MS_SHARED | C.MS_SLAVE)) !== 0
  );
  const propagation = wantsPropagation ? C.MS_SLAVE : C.MS_PRIVATE;
  ctx.must("separate the mounts from the host's", "mount", [0, "/", 0, C.MS_REC | propagation, 0]);
}

/** From here on files are root's of the container. Whatever only the caller may reach has been opened. */
function emitBecomeRoot(ctx: InitContext, { linux }: Spec): void {
  ctx.must("become root", "setresgid", [0, 0, 0]);
  ctx.must("become root", "setresuid", [0, 0, 0]);
  // A change of ids takes these two away; in a pid namespace of its own nobody is there to look at us.
  ctx.may("prctl", [C.PR_SET_PDEATHSIG, C.SIGKILL, 0, 0, 0]);
  const isAlone = linux.namespaces.some(({ type, path }) => type === "pid" && path === undefined);
  if (isAlone) ctx.may("prctl", [C.PR_SET_DUMPABLE, 1, 0, 0, 0]);
}

function emitRootMount(
  ctx: InitContext,
  rootfs: Rootfs,
  root: Value | number | undefined = rootfs.tree,
): void {
  if (root !== undefined) {
    const args = [root, "", C.AT_FDCWD, rootfs.mountpoint, MOVE_MOUNT_F_EMPTY_PATH];
    ctx.must("mount the root", "move_mount", args);
    ctx.p.call("close", [root]);
  } else if (rootfs.overlay !== undefined) {
    const { base, lower, upper, work } = rootfs.overlay;
    ctx.must("go to the layers", "chdir", [base]);
    const data = `lowerdir=${lower.join(":")},upperdir=${upper},workdir=${work},userxattr`;
    const label = `mount the overlay of ${lower.length} layers`;
    ctx.must(label, "mount", ["overlay", rootfs.mountpoint, "overlay", 0, data]);
  } else {
    const flags = C.MS_BIND | C.MS_REC;
    ctx.must("bind the root", "mount", [rootfs.directory!, rootfs.mountpoint, 0, flags, 0]);
  }
  // A private mount below keeps pivot_root and the later umount from reaching the host.
  ctx.must("make the root private", "mount", [0, rootfs.mountpoint, 0, C.MS_PRIVATE, 0]);
}

/** Bind sources are opened in this mount namespace, following links as the user would, before the root changes. */
function emitOpenSources(ctx: InitContext, spec: Spec, firstFd: number): OpenedSource[] {
  const opened: OpenedSource[] = [];
  for (const mount of spec.mounts) {
    if ((parseMountOptions(mount.options ?? []).flags & C.MS_BIND) === 0) continue;
    const fd = firstFd + opened.length;
    const label = `open the source of the mount at ${mount.destination}`;
    const whole = ctx.must(label, "openat", [
      C.AT_FDCWD,
      mount.source ?? "",
      C.O_PATH | C.O_CLOEXEC,
      0,
    ]);
    const source = mount.subpath === undefined ? whole : emitOpenBelow(ctx, mount, whole);
    if (source !== whole) ctx.p.call("close", [whole]);
    const same = ctx.p.label("in place");
    ctx.p.jumpIf(source, "==", fd, same);
    ctx.must(label, "dup3", [source, fd, C.O_CLOEXEC]);
    ctx.p.call("close", [source]);
    ctx.p.place(same);
    opened.push({ mount, fd });
  }
  return opened;
}

function emitMount(
  ctx: InitContext,
  mount: SpecMount,
  sources: readonly OpenedSource[],
): void {
  const options = parseMountOptions(mount.options ?? []);
  const source = sources.find((opened) => opened.mount === mount);
  if (source !== undefined) return emitBind(ctx, mount, options, source.fd);
  const target = mount.destination;
  const label = `mount ${mount.type} at ${target}`;
  ctx.makeDirectories(target);
  if (target === "/proc" || target === "/sys") refuseLink(ctx, target);
  const type = mount.type === "cgroup" ? "cgroup2" : mount.type ?? "none";
  // Read-only is this mount then, not the file system, which others may share.
  const { recursiveReadOnly } = options;
  const flags = recursiveReadOnly ? options.flags & ~C.MS_RDONLY : options.flags;
  const args = [mount.source ?? type, target, type, flags, options.data || 0];
  if (type === "cgroup2") {
    ctx.may("mount", args, { label });
  } else if (type === "proc" || type === "sysfs") {
    // A fresh instance may only show a namespace that our user namespace owns, and not what a container around us hides;
    // the host's own is bound instead.
    const done = ctx.p.label("mounted");
    ctx.p.jumpIf(ctx.may("mount", args, { label }), "==", 0, done);
    const bind = C.MS_BIND | C.MS_REC;
    ctx.must(`bind the host's ${target}`, "mount", [target.slice(1), target, 0, bind, 0]);
    if (type === "sysfs") {
      emitSetReadOnly(ctx, `make ${target} read-only`, target, 0, C.AT_RECURSIVE);
    }
    ctx.p.place(done);
  } else {
    ctx.must(label, "mount", args);
    if (recursiveReadOnly) emitSetReadOnly(ctx, `make ${target} read-only`, target, 0, 0);
  }
  if (options.propagation !== 0) {
    ctx.must(`set the propagation of ${target}`, "mount", [0, target, 0, options.propagation, 0]);
  }
}

/** Nothing of the image may stand in for /proc or /sys. */
function refuseLink(ctx: InitContext, path: string): void {
  const flags = C.O_PATH | C.O_DIRECTORY | C.O_NOFOLLOW | C.O_CLOEXEC;
  const label = `check that ${path} in the image is a directory`;
  ctx.p.call("close", [ctx.must(label, "openat", [C.AT_FDCWD, path, flags, 0])]);
}

/** In the label of a bind mount that is not recursive. */
export const ONLY_TOP = " without what is mounted below it";

function emitBind(ctx: InitContext, mount: SpecMount, options: MountOptions, fd: number): void {
  const target = mount.destination;
  if (mount.type === "bind-any") emitMakePlace(ctx, target, fd);
  else if (mount.type === "bind-file") ctx.makeFile(target);
  else ctx.makeDirectories(target);
  const isWhole = (options.flags & C.MS_REC) !== 0;
  const label = `mount ${mount.source} at ${target}${isWhole ? "" : ONLY_TOP}`;
  const flags = C.MS_BIND | (options.flags & C.MS_REC);
  ctx.must(label, "mount", [`proc/self/fd/${fd}`, target, 0, flags, 0]);
  const extra = options.flags & (C.MS_NOSUID | C.MS_NODEV | C.MS_NOEXEC);
  if ((options.flags & C.MS_RDONLY) !== 0) {
    const recursive = options.recursiveReadOnly ? C.AT_RECURSIVE : 0;
    emitSetReadOnly(ctx, `make ${target} read-only`, target, extra, recursive);
  }
  const propagation = options.propagation || (C.MS_PRIVATE | C.MS_REC);
  ctx.must(`set the propagation of ${target}`, "mount", [0, target, 0, propagation, 0]);
}

/** mount_setattr(2), which leaves the other flags alone; before Linux 5.12 a remount with the flags we know. */
function emitSetReadOnly(
  ctx: InitContext,
  label: string,
  path: string,
  flags: number,
  recursive: number,
): void {
  const { p } = ctx;
  const done = p.label("read-only");
  const attributes = p.words([C.MOUNT_ATTR_RDONLY, 0, 0, 0]);
  const result = ctx.may("mount_setattr", [C.AT_FDCWD, path, recursive, attributes, 32], { label });
  p.jumpIf(result, "==", 0, done);
  const remount = C.MS_REMOUNT | C.MS_BIND | C.MS_RDONLY | flags;
  ctx.must(label, "mount", [0, path, 0, remount, 0]);
  p.place(done);
}

function emitReadOnlyPath(ctx: InitContext, path: string): void {
  const { p } = ctx;
  const skip = p.label(`no ${path}`);
  const label = `make ${path} read-only`;
  const bound = ctx.may("mount", [path, path, 0, C.MS_BIND | C.MS_REC, 0]);
  p.jumpIf(bound, "==", -ERRNO.ENOENT, skip);
  failIfNegative(ctx, bound, label, "mount", [path, path, 0, C.MS_BIND | C.MS_REC, 0]);
  emitSetReadOnly(ctx, label, path, C.MS_NOSUID | C.MS_NODEV | C.MS_NOEXEC, C.AT_RECURSIVE);
  p.place(skip);
}

/** Repeats a call that failed as one whose failure counts: the report then names it. */
function failIfNegative(
  ctx: InitContext,
  result: Value,
  label: string,
  syscall: "mount",
  args: (string | number)[],
): void {
  const fine = ctx.p.label("went well");
  ctx.p.jumpIf(result, ">=", 0, fine);
  ctx.must(label, syscall, args);
  ctx.p.place(fine);
}

function emitMaskedPath(ctx: InitContext, path: string): void {
  const { p } = ctx;
  const done = p.label(`masked ${path}`);
  const result = ctx.may("mount", ["dev/null", path, 0, C.MS_BIND, 0]);
  p.jumpIf(result, "==", 0, done);
  p.jumpIf(result, "==", -ERRNO.ENOENT, done);
  ctx.must(`mask ${path}`, "mount", ["tmpfs", path, "tmpfs", C.MS_RDONLY, "size=4k,nr_inodes=1"]);
  p.place(done);
}

/** An ordinary user cannot make device nodes: the host's are bound into place. */
function emitDevices(ctx: InitContext, spec: Spec): void {
  if (!spec.mounts.some((mount) => mount.destination === "/dev")) return;
  for (const device of spec.linux.devices ?? []) emitDevice(ctx, device);
  for (const [target, path] of DEVICE_LINKS) ctx.may("symlinkat", [target, C.AT_FDCWD, path]);
}

function emitDevice(ctx: InitContext, device: Device & { source?: string }): void {
  const source = device.source ?? device.path;
  ctx.makeFile(device.path);
  ctx.must(`bind device ${source} to ${device.path}`, "mount", [
    source.slice(1),
    device.path,
    0,
    C.MS_BIND,
    0,
  ]);
}

/** What nobody asked for; inside of another container /proc/sys may be read-only. */
const DEFAULT_SYSCTL = "net.ipv4.ip_unprivileged_port_start=0";

function emitTryWrite(ctx: InitContext, path: string, text: string): void {
  const { p } = ctx;
  const over = p.label(`no ${path}`);
  const fd = ctx.may("openat", [C.AT_FDCWD, path, C.O_WRONLY | C.O_CLOEXEC, 0]);
  p.jumpIf(fd, "<", 0, over);
  ctx.may("write", [fd, text, text.length]);
  p.call("close", [fd]);
  p.place(over);
}

function emitSysctls(ctx: InitContext, spec: Spec): void {
  for (const [name, value] of Object.entries(spec.linux.sysctl ?? {})) {
    const path = `/proc/sys/${name.replaceAll(".", "/")}`;
    if (`${name}=${value}` === DEFAULT_SYSCTL) emitTryWrite(ctx, path, value);
    else ctx.writeFile(`set sysctl ${name}`, path, value);
  }
}
