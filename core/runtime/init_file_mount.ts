/**
 * The part of a container's init program that mounts a small file whose content is in the program: it is never on a disk.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import type { SpecMount } from "../spec/runtime.ts";
import type { InitContext } from "./init_context.ts";

/** Adds the ops that make the file in the container's own /dev, bind it to its place and take the first name away. */
export function emitFileMount(ctx: InitContext, mount: SpecMount, index: number): void {
  const { p } = ctx;
  const { destination, file } = mount;
  const { content, mode, uid, gid } = file!;
  const label = `make the file at ${destination}`;
  const name = `/dev/.file-${index}`;
  const flags = C.O_WRONLY | C.O_CREAT | C.O_EXCL | C.O_NOFOLLOW | C.O_CLOEXEC;
  const fd = ctx.must(label, "openat", [C.AT_FDCWD, name, flags, 0o600]);
  if (content.length > 0) ctx.must(label, "write", [fd, p.bytes(content), content.length]);
  ctx.must(label, "fchown", [fd, uid, gid]);
  ctx.must(label, "fchmod", [fd, mode]);
  p.call("close", [fd]);
  ctx.makeFile(destination);
  ctx.must(label, "mount", [name, destination, 0, C.MS_BIND, 0]);
  const remount = C.MS_REMOUNT | C.MS_BIND | C.MS_RDONLY | C.MS_NOSUID | C.MS_NODEV;
  ctx.must(label, "mount", [0, destination, 0, remount, 0]);
  ctx.must(label, "unlinkat", [C.AT_FDCWD, name, 0]);
}
